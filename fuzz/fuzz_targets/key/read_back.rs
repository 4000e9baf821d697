//! Readers for the parts of keys. The library has none, because only a doubter needs them.

use crate::{data, value};

/// The meaning of a segment; `None` if it is a hash.
pub(crate) fn segment(text: &str) -> Option<value::Meaning> {
    use value::Meaning;

    fn one(text: &str) -> (Meaning, &str) {
        let nones = text.len() - text.trim_start_matches('~').len();
        if nones > 0 {
            let none = (1..nones).fold(Meaning::None, |inner, _| Meaning::Some(Box::new(inner)));
            return (none, &text[nones..]);
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (items, rest) = many(rest, ']');
            return (Meaning::List(items), rest);
        }
        let (word, rest) = text.split_at(text.find(['(', ')', '[', ']', ',']).unwrap_or(text.len()));
        match rest.strip_prefix('(') {
            None => (plain(word), rest),
            Some(rest) => {
                let (items, rest) = many(rest, ')');
                if word.is_empty() {
                    return (Meaning::Tuple(items), rest);
                }
                let Meaning::Text(name) = plain(word) else { panic!("{word:?} is no variant's name") };
                (Meaning::Variant(name, items), rest)
            }
        }
    }

    fn many(mut text: &str, close: char) -> (Vec<Meaning>, &str) {
        let mut items = Vec::new();
        while !text.starts_with(close) {
            if !items.is_empty() {
                text = text.strip_prefix(',').expect("a comma between two");
            }
            let (item, rest) = one(text);
            items.push(item);
            text = rest;
        }
        (items, &text[1..])
    }

    fn plain(word: &str) -> Meaning {
        match word.as_bytes() {
            [b'\'', ..] => Meaning::Text(unescaped(&word[1..])),
            b"true" => Meaning::Bool(true),
            b"false" => Meaning::Bool(false),
            [b'-', digits @ ..] | digits if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
                Meaning::Number(word.to_owned())
            }
            [] => panic!("a value without a form"),
            _ => Meaning::Text(unescaped(word)),
        }
    }

    if text.starts_with(['#', '@']) {
        return None;
    }
    let (meaning, rest) = one(text);
    assert_eq!(rest, "", "{text}");
    Some(meaning)
}

fn unescaped(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = u8::from_str_radix(&piece[..2], 16).expect("two digits");
        out.push(char::from(code));
        out.push_str(&piece[2..]);
    }
    out
}

/// The meaning of a canonical text.
pub(crate) fn canonical(text: &str) -> data::Meaning {
    use data::Meaning;

    fn one(text: &str) -> (Meaning, &str) {
        if let Some(rest) = text.strip_prefix('?') {
            let (inner, rest) = one(rest);
            return (Meaning::Some(Box::new(inner)), rest);
        }
        if let Some(rest) = text.strip_prefix("()") {
            return (Meaning::Unit, rest);
        }
        if text.starts_with('"') {
            let (string, rest) = quoted(text);
            let Some(rest) = rest.strip_prefix("::") else { return (Meaning::Text(string), rest) };
            let (name, rest) = quoted(rest);
            let close = if rest.starts_with('(') { ')' } else { ']' };
            let (fields, rest) = many(&rest[1..], close);
            return (Meaning::Variant(name, fields), rest);
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (items, rest) = many(rest, ']');
            return (Meaning::List(items), rest);
        }
        if let Some(mut rest) = text.strip_prefix('{') {
            let mut entries = Vec::new();
            while !rest.starts_with('}') {
                let (key, after) = one(after_comma(rest, entries.is_empty()));
                let (value, after) = one(after.strip_prefix(':').expect("a colon"));
                entries.push((key, value));
                rest = after;
            }
            // The library sorts by text.
            entries.sort();
            return (Meaning::Map(entries), &rest[1..]);
        }
        let (word, rest) = text.split_at(text.find([',', ':', ')', ']', '}']).unwrap_or(text.len()));
        let meaning = match word {
            "null" => Meaning::None,
            "true" => Meaning::Bool(true),
            "false" => Meaning::Bool(false),
            number => Meaning::Number(number.to_owned()),
        };
        (meaning, rest)
    }

    fn quoted(text: &str) -> (String, &str) {
        let mut strings = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let string = strings.next().expect("a string").expect("a string");
        (string, &text[strings.byte_offset()..])
    }

    fn many(mut text: &str, close: char) -> (Vec<Meaning>, &str) {
        let mut items = Vec::new();
        while !text.starts_with(close) {
            let (item, after) = one(after_comma(text, items.is_empty()));
            items.push(item);
            text = after;
        }
        (items, &text[1..])
    }

    fn after_comma(text: &str, is_first: bool) -> &str {
        if is_first { text } else { text.strip_prefix(',').expect("a comma between two") }
    }

    let (meaning, rest) = one(text);
    assert_eq!(rest, "", "{text}");
    meaning
}
