//! The language of `key` and `tags`: text with placeholders.
//!
//! Splits text only. [`crate::validate`] decides whether a placeholder names something.

use std::ops::Range;

use crate::suggest::did_you_mean;

/// One piece of a template, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text that is in the key as it is.
    Literal(String),
    /// `<arg>`, `<arg.field>`, `<arg:hash>`, `<arg:serde>`.
    Placeholder(Placeholder),
    /// `<*>`.
    All,
}

/// The name of a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Placeholder {
    /// Its place in the template, with its brackets.
    pub(crate) at: Range<usize>,
    /// The argument, a type, or the path of a constant: `id`, `T`, `E::TABLE`.
    pub(crate) root: String,
    /// The path from the argument to the value: names, or numbers of tuple fields.
    pub(crate) fields: Vec<String>,
    /// The modifier.
    pub(crate) form: Form,
}

/// How a value is written into a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is.
    Plain,
    /// `:hash`: hashed.
    Hash,
    /// `:serde`: the hash of what its `Serialize` writes.
    Serde,
}

impl Piece {
    pub(crate) fn placeholder(&self) -> Option<&Placeholder> {
        match self {
            Self::Placeholder(placeholder) => Some(placeholder),
            Self::Literal(_) | Self::All => None,
        }
    }
}

impl Placeholder {
    /// The path as written, without brackets and modifier.
    pub(crate) fn path(&self) -> String {
        let mut path = self.root.clone();
        for field in &self.fields {
            path.push('.');
            path.push_str(field);
        }
        path
    }
}

/// What is wrong, and where in the template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: Range<usize>,
    pub(crate) message: String,
}

impl Fault {
    fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

/// What a template names.
#[derive(Clone, Copy)]
enum Kind {
    /// The key of a function that reads.
    Key,
    /// A key that a write removes or stores.
    WrittenKey,
    Tag,
}

impl Kind {
    fn noun(self) -> &'static str {
        match self {
            Self::Key | Self::WrittenKey => "key",
            Self::Tag => "tag",
        }
    }

    /// The message for `*` in the text: no key or tag is compared with a pattern, so it would be a letter like any
    /// other.
    fn no_pattern(self) -> &'static str {
        match self {
            Self::Key => "`*` is not a pattern here; write `<*>` for the hash of all arguments",
            Self::WrittenKey => {
                "`*` is not a pattern: a key names one entry; write the arguments as the function that reads does, \
                 such as `<id>`. To invalidate many entries, give them a tag (`tags = \"..\"`) or an event \
                 (`invalidate_on = ..`) there, and name it here"
            }
            Self::Tag => {
                "`*` is not a pattern: a tag names only itself; write an argument, such as `<id>`. To invalidate the \
                 entries of many tags, give them all one more tag, or let them listen to all events of a type, \
                 `invalidate_on = Event { .. }`"
            }
        }
    }
}

/// Splits a key's template into its pieces.
///
/// Stops at the first fault: what follows an unbalanced bracket is ambiguous.
// Input:  "user:<id>:<filter.lang>"
// Output: [Literal("user:"), Placeholder(id), Literal(":"), Placeholder(filter.lang)]
pub(crate) fn parse(template: &str) -> Result<Vec<Piece>, Fault> {
    parse_key(template, Kind::Key)
}

/// Splits the template of a key that a write removes or stores.
pub(crate) fn parse_written(template: &str) -> Result<Vec<Piece>, Fault> {
    parse_key(template, Kind::WrittenKey)
}

fn parse_key(template: &str, kind: Kind) -> Result<Vec<Piece>, Fault> {
    if template.is_empty() {
        return Err(Fault::new(0..0, "the key is empty; write for example `key = \"user:<id>\"`"));
    }
    let pieces = split(template, kind)?;
    hash_tag(template, &pieces)?;
    separated(&pieces, kind)?;
    Ok(pieces)
}

/// Splits a tag's template.
pub(crate) fn parse_tag(template: &str) -> Result<Vec<Piece>, Fault> {
    if template.is_empty() {
        return Err(Fault::new(0..0, "the tag is empty; write for example `\"tenant:<tenant>\"`"));
    }
    let pieces = split(template, Kind::Tag)?;
    let braced = |piece: &Piece| matches!(piece, Piece::Literal(text) if text.contains(['{', '}']));
    if pieces.iter().any(braced) {
        return Err(braces(
            template,
            "a tag takes no `{hash tag}`, because no other key shares its node; remove the braces",
        ));
    }
    if pieces.contains(&Piece::All) {
        let message = "a tag is shared by many calls, and `<*>` differs in each of them; name one argument, `<arg>`";
        return Err(Fault::new(0..template.len(), message));
    }
    separated(&pieces, Kind::Tag)?;
    Ok(pieces)
}

fn split(template: &str, kind: Kind) -> Result<Vec<Piece>, Fault> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(rest) = template.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("<<") || rest.starts_with(">>") {
            literal.extend(rest.chars().next());
            at += 2;
        } else if rest.starts_with('>') {
            return Err(Fault::new(at..at + 1, "this `>` closes nothing; write `>>` for a literal `>`"));
        } else if let Some(inside) = rest.strip_prefix('<') {
            let Some(length) =
                inside.find(['<', '>']).filter(|&end| inside.get(end..).is_some_and(|end| end.starts_with('>')))
            else {
                let message = "this `<` is never closed; write `<<` for a literal `<`";
                return Err(Fault::new(at..at + 1, message));
            };
            flush(&mut literal, &mut pieces);
            let end = at + length + 2;
            pieces.push(placeholder(inside.get(..length).unwrap_or_default(), at..end)?);
            at = end;
        } else if let Some(letter) = rest.chars().next() {
            let end = at + letter.len_utf8();
            if letter.is_control() {
                let noun = kind.noun();
                return Err(Fault::new(
                    at..end,
                    format!("a {noun} cannot contain the control character {letter:?}; remove it"),
                ));
            }
            if letter == '*' {
                return Err(Fault::new(at..end, kind.no_pattern()));
            }
            literal.push(letter);
            at = end;
        }
    }
    flush(&mut literal, &mut pieces);
    Ok(pieces)
}

fn flush(literal: &mut String, pieces: &mut Vec<Piece>) {
    if !literal.is_empty() {
        pieces.push(Piece::Literal(std::mem::take(literal)));
    }
}

/// Reads the text between `<` and `>`.
fn placeholder(inside: &str, at: Range<usize>) -> Result<Piece, Fault> {
    if inside.is_empty() {
        return Err(Fault::new(at, "`<>` names nothing; write `<arg>`, or `<*>` for all arguments"));
    }
    if inside.contains(['(', ')']) {
        let message = format!(
            "`<{inside}>` is a call, and a placeholder names an argument or its field; pass the value as an argument, \
             or derive `CacheKey` for its type"
        );
        return Err(Fault::new(at, message));
    }
    let (path, modifier) = modified(inside);
    let form = match modifier {
        None => Form::Plain,
        Some("hash") => Form::Hash,
        Some("serde") => Form::Serde,
        Some(other) => {
            let suggestion = did_you_mean(other, ["hash", "serde"]);
            return Err(Fault::new(
                at,
                format!(
                    "unknown modifier `{other}`; {suggestion}write `<{path}>`, `<{path}:hash>` or `<{path}:serde>`"
                ),
            ));
        }
    };
    if path == "*" {
        return match form {
            Form::Plain => Ok(Piece::All),
            Form::Hash => Err(Fault::new(at, "`<*>` is hashed already; write `<*>`")),
            Form::Serde => {
                let message =
                    "`:serde` is for one argument; write `<arg:serde>:<*>`, where `<*>` stands for the others";
                Err(Fault::new(at, message))
            }
        };
    }

    let mut names = path.split('.').map(str::to_owned);
    let root = names.next().unwrap_or_default();
    let fields: Vec<String> = names.collect();
    if !root.split("::").all(is_name) || !fields.iter().all(|field| is_name(field) || is_index(field)) {
        return Err(Fault::new(at, malformed(inside)));
    }
    Ok(Piece::Placeholder(Placeholder { at, root, fields, form }))
}

/// Splits the path from the modifier. A `::` is part of the path.
// Input:  "id",         "id:hash",            "E::TABLE:hash"
// Output: ("id", None), ("id", Some("hash")), ("E::TABLE", Some("hash"))
fn modified(inside: &str) -> (&str, Option<&str>) {
    let path_ends = inside.rfind("::").map_or(0, |at| at + 2);
    match inside.split_at_checked(path_ends).and_then(|(_, rest)| rest.find(':')) {
        Some(colon) => (&inside[..path_ends + colon], Some(&inside[path_ends + colon + 1..])),
        None => (inside, None),
    }
}

fn malformed(inside: &str) -> String {
    let names: Vec<&str> = inside.split('.').map(str::trim).map(|name| name.trim_start_matches("r#")).collect();
    let tidy = names.join(".");
    if tidy != inside && names.iter().all(|name| is_name(name) || is_index(name)) {
        return format!("`<{inside}>` is not a placeholder; write `<{tidy}>`");
    }
    format!("`<{inside}>` is not a placeholder; write `<arg>`, `<arg.field>`, `<arg:hash>` or `<arg:serde>`")
}

fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && letters.all(|letter| letter == '_' || letter.is_alphanumeric())
}

fn is_index(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_digit())
}

/// Checks the hash tag. Redis Cluster places a key by the text between its first `{` and the next `}`. Segments escape
/// their braces, so only the braces of literals count. Anything but one pair around some text would place the key by
/// accident.
fn hash_tag(template: &str, pieces: &[Piece]) -> Result<(), Fault> {
    let mut opened = None;
    let mut closed = false;
    for (index, piece) in pieces.iter().enumerate() {
        let Piece::Literal(text) = piece else { continue };
        for (offset, letter) in text.char_indices() {
            let here = (index, offset);
            match (letter, opened) {
                ('{', None) => opened = Some(here),
                ('{', Some(_)) => {
                    return Err(braces(template, "a key has at most one `{hash tag}`; remove the second `{`"));
                }
                ('}', None) => {
                    return Err(braces(
                        template,
                        "this key has a `}` without a `{` before it; remove it, or write `{tag}`",
                    ));
                }
                ('}', Some((at, start))) if at == index && start + 1 == offset => {
                    return Err(braces(
                        template,
                        "`{}` is no placeholder; write the name of an argument, such as `<id>`",
                    ));
                }
                ('}', Some(_)) if closed => {
                    return Err(braces(template, "a key has at most one `{hash tag}`; remove the second `}`"));
                }
                ('}', Some(_)) => closed = true,
                _ => {}
            }
        }
    }
    match (opened, closed) {
        (Some(_), false) => Err(braces(template, "the hash tag is never closed; write `{tag}`")),
        _ => Ok(()),
    }
}

/// The texts between braces and their places. In a template they are plain text, but users may mean the arguments of a
/// format string.
// Input:  "{users}:<id>:{lang}"
// Output: ("users", 0..7), ("lang", 13..19)
pub(crate) fn braced(template: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    template.match_indices('{').filter_map(|(start, _)| {
        let inside = template.get(start + 1..)?;
        let (name, _) = inside.split_at_checked(inside.find(['{', '}', '<', '>'])?)?;
        let closed = inside.get(name.len()..)?.starts_with('}');
        closed.then(|| (name, start..start + name.len() + 2))
    })
}

fn braces(template: &str, message: &str) -> Fault {
    Fault::new(0..template.len(), message)
}

/// Checks that values are separated. Otherwise two calls could share a key: `<a><b>` is "123" for ("1", "23") and for
/// ("12", "3"). Values escape only `:` and braces, so one of these must be between them. A hash has a fixed length and
/// needs no separator, but it does not separate its neighbours either, since they may look like a hash.
fn separated(pieces: &[Piece], kind: Kind) -> Result<(), Fault> {
    let mut open: Option<&Placeholder> = None;
    for piece in pieces {
        match piece {
            Piece::Literal(text) if text.contains([':', '{', '}']) => open = None,
            Piece::Placeholder(second) if second.form == Form::Plain => {
                if let Some(first) = open {
                    let (first_path, second_path) = (first.path(), second.path());
                    let noun = kind.noun();
                    let message = format!(
                        "put a `:` between `<{first_path}>` and `<{second_path}>`; otherwise two different calls could \
                         make the same {noun}"
                    );
                    return Err(Fault::new(first.at.start..second.at.end, message));
                }
                open = Some(second);
            }
            _ => {}
        }
    }
    Ok(())
}
