//! Keys: two different lists of arguments never make the same key.
//!
//! A fuzzer sees too few pairs to compare, so this reads keys back instead: what can be read from the key alone is not
//! lost. Only hashes are compared in pairs, and the texts that they are made of are read back.
#![no_main]

mod data;
mod read_back;
#[path = "../../../cached-macros/src/suggest.rs"]
#[expect(dead_code, reason = "only what the parser uses of it")]
mod suggest;
#[path = "../../../cached-macros/src/template.rs"]
#[expect(dead_code, reason = "only whether a template is accepted")]
mod template;
mod value;

use arbitrary::Arbitrary;
use cached_core::KeySegment;
use cached_core::fuzzing::{Hashed, MAX_KEY, MAX_SEGMENT, Piece, Serialized, canonical, render};
use data::Data;
use libfuzzer_sys::{Corpus, fuzz_target};
use value::Value;

#[derive(Arbitrary, Debug)]
struct Input {
    template: Vec<Part>,
    arguments: Vec<Argument>,
    /// Replaces one argument in a second call.
    other: Argument,
    other_at: u8,
}

#[derive(Arbitrary, Debug, Clone)]
struct Argument {
    segment: Value,
    foreign: Data,
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Part {
    Literal(u8),
    Segment,
    Hash,
    Serde,
    All,
}

/// Separators, texts that look like rendered values, and what makes a key too long.
const LITERALS: [&str; 24] = [
    ":", ":", ":", "user:", "{", "}", "}:", "-", "x", "ü", "a:b", "#", "@", "'", "~", "%3A", "(", ")", ",", "[", "]",
    "42", "<", LONG,
];
const LONG: &str = "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\
                    yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";
const PREFIX: &str = "shop:k:";
/// `@` and a SHA-256 in hexadecimal.
const HASH: usize = 65;

impl Part {
    fn literal(self) -> Option<&'static str> {
        if let Self::Literal(n) = self { Some(LITERALS[usize::from(n) % LITERALS.len()]) } else { None }
    }

    fn takes_argument(self) -> bool {
        matches!(self, Self::Segment | Self::Hash | Self::Serde)
    }

    /// The form that the user writes.
    fn written(self) -> String {
        match self {
            Self::Segment => "<a>".to_owned(),
            Self::Hash => "<a:hash>".to_owned(),
            Self::Serde => "<a:serde>".to_owned(),
            Self::All => "<*>".to_owned(),
            Self::Literal(_) => self.literal().unwrap_or_default().replace('<', "<<"),
        }
    }

    fn piece(self) -> Piece {
        match self {
            Self::Segment => Piece::Segment("a"),
            Self::Hash => Piece::Hash("a"),
            Self::Serde => Piece::Serde("a"),
            Self::All => Piece::All,
            Self::Literal(_) => Piece::Literal(self.literal().unwrap_or_default()),
        }
    }
}

fuzz_target!(|input: Input| -> Corpus {
    let Input { template, arguments, other, other_at } = input;
    let written: String = template.iter().map(|part| part.written()).collect();
    let wanted = template.iter().filter(|part| part.takes_argument()).count();
    if template::parse(&written).is_err() || arguments.len() < wanted {
        return Corpus::Reject;
    }
    let arguments = &arguments[..wanted];
    let key = key_of(&template, arguments);
    if key.len() > PREFIX.len() && !is_hashed_whole(&key, &template, arguments) {
        reads_back(&key, &template, arguments);
    }
    for argument in arguments.iter().chain([&other]) {
        let text = canonical(&argument.foreign).expect("it serializes");
        assert_eq!(read_back::canonical(&text), argument.foreign.meaning(), "{text}");
    }

    let mut others = arguments.to_vec();
    if let Some(place) = others.get_mut(usize::from(other_at)) {
        *place = other;
    }
    let same = key == key_of(&template, &others);
    assert_eq!(same, mean_the_same(&template, arguments, &others), "{written}: {key} for both");
    Corpus::Keep
});

fn key_of(template: &[Part], arguments: &[Argument]) -> String {
    let pieces: Vec<Piece> = template.iter().map(|part| part.piece()).collect();
    let all: Vec<&Value> = arguments.iter().map(|argument| &argument.segment).collect();
    let all = Hashed(&all);
    let hashes: Vec<Hashed<'_, Value>> = arguments.iter().map(|argument| Hashed(&argument.segment)).collect();
    let foreign: Vec<Serialized<'_, Data>> = arguments.iter().map(|argument| Serialized(&argument.foreign)).collect();
    let mut next = 0;
    let mut segments: Vec<&dyn KeySegment> = Vec::new();
    for part in template {
        match part {
            Part::Literal(_) => continue,
            Part::All => segments.push(&all),
            Part::Segment => segments.push(&arguments[next].segment),
            Part::Hash => segments.push(&hashes[next]),
            Part::Serde => segments.push(&foreign[next]),
        }
        next += usize::from(part.takes_argument());
    }
    let key = render("shop", &pieces, &segments).expect("all arguments have a form");
    assert!(key.starts_with(PREFIX) && key.len() <= MAX_KEY, "{} bytes: {key}", key.len());
    assert!(!key.chars().any(|letter| letter.is_ascii_control()), "{key:?}");
    key
}

/// One argument's segment, by itself.
fn segment_of(argument: &Argument) -> String {
    let key = render("", &[Piece::Segment("a")], &[&argument.segment]).expect("it has a form");
    let segment = key.strip_prefix(":k:").expect("the prefix").to_owned();
    assert!(segment.len() <= MAX_SEGMENT.max(HASH), "{segment}");
    assert!(!segment.is_empty() && !segment.contains([':', '{', '}']), "{segment}");
    segment
}

/// Whether the key was too long, so that all behind its prefix (and its hash tag) is one hash.
fn is_hashed_whole(key: &str, template: &[Part], arguments: &[Argument]) -> bool {
    let mut arguments = arguments.iter();
    let length: usize = template
        .iter()
        .map(|part| match part {
            Part::Segment => segment_of(arguments.next().expect("as many as wanted")).len(),
            Part::Hash | Part::Serde => arguments.next().map_or(0, |_| HASH),
            Part::All => HASH,
            Part::Literal(_) => part.literal().unwrap_or_default().len(),
        })
        .sum();
    let is_hashed = PREFIX.len() + length > MAX_KEY;
    assert_eq!(key.len() == PREFIX.len() + length, !is_hashed, "{key}");
    is_hashed
}

/// Reads every segment from the key, and every value from its segment.
///
/// Separators (`:` and braces) stand only in literals. Between two of them is at most one value of unknown length; its
/// segment is what remains of the stretch without the known lengths.
fn reads_back(key: &str, template: &[Part], arguments: &[Argument]) {
    let separators = [':', '{', '}'];
    let mut stretches = key[PREFIX.len()..].split(separators);
    let mut stretch = stretches.next().expect("one at least");
    // The lengths before and behind the value, and the value itself.
    let (mut front, mut behind, mut value): (usize, usize, Option<&Argument>) = (0, 0, None);
    let mut arguments = arguments.iter();
    for part in template {
        let fixed = match part {
            Part::Segment => {
                assert!(value.is_none(), "nothing separates two values: {template:?}");
                value = arguments.next();
                continue;
            }
            Part::Hash | Part::Serde => arguments.next().map_or(0, |_| HASH),
            Part::All => HASH,
            Part::Literal(_) => {
                let mut texts = part.literal().unwrap_or_default().split(separators);
                let mut text = texts.next().unwrap_or_default();
                for after in texts {
                    *(if value.is_some() { &mut behind } else { &mut front }) += text.len();
                    read_stretch(stretch, front, behind, value.take());
                    stretch = stretches.next().expect("a separator of the template, and nothing escaped");
                    (front, behind, text) = (0, 0, after);
                }
                text.len()
            }
        };
        *(if value.is_some() { &mut behind } else { &mut front }) += fixed;
    }
    read_stretch(stretch, front, behind, value);
    assert_eq!(stretches.next(), None, "a separator that is not of the template: {key}");
}

fn read_stretch(stretch: &str, front: usize, behind: usize, value: Option<&Argument>) {
    let segment = &stretch[front..stretch.len() - behind];
    let Some(argument) = value else { return assert_eq!(segment, "") };
    assert_eq!(segment, segment_of(argument));
    match read_back::segment(segment) {
        Some(meaning) => assert_eq!(meaning, argument.segment.meaning(), "{segment}"),
        None => assert_eq!(segment.len(), HASH, "{segment}"),
    }
}

fn mean_the_same(template: &[Part], one: &[Argument], other: &[Argument]) -> bool {
    let mut pairs = one.iter().zip(other);
    let mut next = || pairs.next().expect("as many as wanted");
    template.iter().all(|part| match part {
        Part::Literal(_) => true,
        Part::All => one.iter().zip(other).all(|(a, b)| a.segment.meaning() == b.segment.meaning()),
        Part::Segment | Part::Hash => {
            let (a, b) = next();
            a.segment.meaning() == b.segment.meaning()
        }
        Part::Serde => {
            let (a, b) = next();
            a.foreign.meaning() == b.foreign.meaning()
        }
    })
}
