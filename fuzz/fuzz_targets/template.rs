//! The parser of key templates, as it runs in the compiler: it answers every text, points only at what is there, loses
//! nothing, and accepts no template whose values nothing separates.
#![no_main]

// A procedural macro exports no functions, so this compiles its source.
#[path = "../../cached-macros/src/suggest.rs"]
#[expect(dead_code, reason = "only what the parser uses of it")]
mod suggest;
#[path = "../../cached-macros/src/template.rs"]
#[expect(dead_code, reason = "only what parses")]
mod template;

use libfuzzer_sys::fuzz_target;
use template::{Form, Piece, Placeholder, braced, parse, parse_tag};

fuzz_target!(|template: &str| {
    match parse(template) {
        Err(fault) => {
            assert!(template.get(fault.at.clone()).is_some(), "{fault:?} points beside the text");
            assert!(!fault.message.is_empty());
        }
        Ok(pieces) => {
            points_at_placeholders(template, &pieces);
            // Every text has one reading and every reading one text, so printing returns the same text.
            assert_eq!(print(&pieces), template);
            no_values_meet(&pieces);
            one_hash_tag(&pieces);
        }
    }
    match parse_tag(template) {
        Err(fault) => assert!(template.get(fault.at.clone()).is_some(), "{fault:?} points beside the text"),
        // A tag allows a subset of what a key allows.
        Ok(pieces) => assert_eq!(Ok(pieces), parse(template)),
    }
    for (name, at) in braced(template) {
        assert_eq!(template.get(at), Some(format!("{{{name}}}").as_str()));
    }
});

fn points_at_placeholders(template: &str, pieces: &[Piece]) {
    let mut end = 0;
    for placeholder in pieces.iter().filter_map(placeholder) {
        assert!(placeholder.at.start >= end, "placeholders overlap");
        end = placeholder.at.end;
        assert_eq!(template.get(placeholder.at.clone()), Some(print_placeholder(placeholder).as_str()));
    }
}

fn placeholder(piece: &Piece) -> Option<&Placeholder> {
    if let Piece::Placeholder(placeholder) = piece { Some(placeholder) } else { None }
}

fn print(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(text) => text.replace('<', "<<").replace('>', ">>"),
            Piece::Placeholder(placeholder) => print_placeholder(placeholder),
            Piece::All => "<*>".to_owned(),
        })
        .collect()
}

fn print_placeholder(placeholder: &Placeholder) -> String {
    let modifier = match placeholder.form {
        Form::Plain => "",
        Form::Hash => ":hash",
        Form::Serde => ":serde",
    };
    format!("<{}{modifier}>", placeholder.path())
}

/// Values escape `:` and braces and nothing else, so one of these stands between any two values that are not hashes.
fn no_values_meet(pieces: &[Piece]) {
    let values: Vec<usize> = (0..pieces.len())
        .filter(|&at| pieces.get(at).and_then(placeholder).is_some_and(|placeholder| placeholder.form == Form::Plain))
        .collect();
    for pair in values.windows(2) {
        let between = &pieces[pair[0]..pair[1]];
        let separated =
            between.iter().any(|piece| matches!(piece, Piece::Literal(text) if text.contains([':', '{', '}'])));
        assert!(separated, "nothing between {:?} and {:?}", pieces[pair[0]], pieces[pair[1]]);
    }
}

/// No braces, or one pair around something.
fn one_hash_tag(pieces: &[Piece]) {
    // It does not matter what a value renders, only that it is there and has no braces.
    let text: String = pieces.iter().map(|piece| if let Piece::Literal(text) = piece { text } else { "x" }).collect();
    assert!(!text.contains(|letter: char| letter.is_control()));
    match (text.find('{'), text.find('}')) {
        (None, None) => {}
        (Some(open), Some(close)) => {
            assert!(open + 1 < close, "empty or the wrong way round");
            assert_eq!((text.rfind('{'), text.rfind('}')), (Some(open), Some(close)), "a second brace");
        }
        _ => panic!("half a hash tag"),
    }
}
