//! Two different calls never share an entry: P6.
//!
//! Lists of arguments are generated from what is easily confused: separators, escapes, marks, digits, empty and absent
//! values, nested lists. A real call renders each list, and the key is read off the store that the call asks. Lists
//! with the same meaning (`Some(x)` and `x`, a `char` and a text of one letter) count as the same list here.

use cached_core::{Cache, KeyIdentity, KeySegment, SegmentWriter};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;
use std::collections::HashMap;
use tests::Notes;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Argument {
    Integer(i64),
    Bool(bool),
    Text(String),
    None,
    Some(Box<Argument>),
    Tuple(Vec<Argument>),
    List(Vec<Argument>),
}

impl Argument {
    /// `Some(x)` means `x`, unless `x` is a `None` somewhere inside.
    fn meaning(&self) -> Self {
        match self {
            Self::Some(inner) => match inner.meaning() {
                none @ (Self::None | Self::Some(_)) => Self::Some(Box::new(none)),
                other => other,
            },
            Self::Tuple(items) => Self::Tuple(items.iter().map(Self::meaning).collect()),
            Self::List(items) => Self::List(items.iter().map(Self::meaning).collect()),
            other => other.clone(),
        }
    }
}

/// Uses the library's own implementations.
impl KeySegment for Argument {}

impl KeyIdentity for Argument {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        match self {
            Self::Integer(n) => n.write(out),
            Self::Bool(b) => b.write(out),
            Self::Text(text) => text.write(out),
            Self::None => None::<u8>.write(out),
            Self::Some(inner) => Some(inner).write(out),
            Self::Tuple(items) => out.tuple(&items.iter().map(|item| item as &dyn KeyIdentity).collect::<Vec<_>>()),
            Self::List(items) => items.write(out),
        }
    }
}

fn argument() -> impl Strategy<Value = Argument> {
    let text = prop_oneof![
        // Few letters, so lists that differ only in their borders are common.
        8 => "[:a]{0,3}",
        3 => "(a|a:a|a:a:a|a,a|a,a,a)",
        6 => "[,a]{0,3}",
        // The rendered forms of other values.
        3 => "(\\(a\\)|\\(a,a\\)|\\[a\\]|\\(\\)|\\[\\]|~|~~|'a|'1|:|%3A|%2C|%28a%29|%25|%)",
        4 => "[%~'#@a1\\-\\[\\]{}]{0,3}",
        1 => "(true|false|-?[0-9]{1,3})",
        1 => "[\\x00-\\x1f\\x7f\u{fc}\u{1F980} ]{0,3}",
        1 => "[ab]{60,70}",
    ];
    let leaf = prop_oneof![
        3 => (-12i64..130).prop_map(Argument::Integer),
        1 => any::<i64>().prop_map(Argument::Integer),
        1 => any::<bool>().prop_map(Argument::Bool),
        8 => text.prop_map(Argument::Text),
        1 => Just(Argument::None),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            2 => inner.clone().prop_map(|inner| Argument::Some(Box::new(inner))),
            3 => proptest::collection::vec(inner.clone(), 0..3).prop_map(Argument::Tuple),
            3 => proptest::collection::vec(inner, 0..3).prop_map(Argument::List),
        ]
    })
}

#[cached_core::redis_cached(key = "f:<a>", cache = cache, skip(cache))]
async fn one(cache: &Cache, a: &Argument) -> u8 {
    0
}

#[cached_core::redis_cached(key = "f:<a>:<b>", cache = cache, skip(cache))]
async fn two(cache: &Cache, a: &Argument, b: &Argument) -> u8 {
    0
}

#[cached_core::redis_cached(key = "f:<a>:<b>:<c>", cache = cache, skip(cache))]
async fn three(cache: &Cache, a: &Argument, b: &Argument, c: &Argument) -> u8 {
    0
}

#[cached_core::redis_cached(key = "h:<a:hash>:<b:hash>", cache = cache, skip(cache))]
async fn hashed(cache: &Cache, a: &Argument, b: &Argument) -> u8 {
    0
}

#[cached_core::redis_cached(key = "all:<*>", cache = cache, skip(cache))]
async fn all(cache: &Cache, arguments: &[Argument]) -> u8 {
    0
}

/// Ten thousand lists; `TEST_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("TEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(10_000)
}

#[test]
fn different_arguments_never_meet() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (notes, cache) = Notes::with_cache();
    let key_of = |call: std::pin::Pin<Box<dyn Future<Output = u8> + '_>>| {
        runtime.block_on(call);
        notes.take()
    };
    let plain: RefCell<HashMap<String, Vec<Argument>>> = RefCell::default();
    let hash: RefCell<HashMap<String, Vec<Argument>>> = RefCell::default();
    let config = Config { cases: cases(), failure_persistence: None, ..Config::default() };
    let lists = proptest::collection::vec(argument(), 1..4);
    let checked = TestRunner::new(config).run(&lists, |list| {
        let key = match list.as_slice() {
            [a] => key_of(Box::pin(one(&cache, a))),
            [a, b] => key_of(Box::pin(two(&cache, a, b))),
            [a, b, c] => key_of(Box::pin(three(&cache, a, b, c))),
            _ => unreachable!("one to three"),
        };
        prop_assert!(key.starts_with("cache:k:f:") && key.len() <= 512, "{key}");
        prop_assert!(!key.contains(|c: char| c.is_ascii_control() || c == '{' || c == '}'), "{key:?}");
        let meaning: Vec<_> = list.iter().map(Argument::meaning).collect();
        let before = plain.borrow_mut().insert(key.clone(), meaning.clone());
        prop_assert!(before.as_ref().is_none_or(|before| *before == meaning), "{key}: {before:?} and {meaning:?}");

        // A hash tells apart what a key does.
        let mut hashes = vec![key_of(Box::pin(all(&cache, &list)))];
        if let [a, b] = list.as_slice() {
            hashes.push(key_of(Box::pin(hashed(&cache, a, b))));
        }
        for key in hashes {
            let before = hash.borrow_mut().insert(key.clone(), meaning.clone());
            prop_assert!(before.as_ref().is_none_or(|before| *before == meaning), "{key}: {before:?} and {meaning:?}");
        }
        Ok(())
    });
    checked.unwrap();
    println!("{} lists, {} different keys", cases(), plain.borrow().len());
}

#[tokio::test]
async fn the_pairs_that_other_libraries_confuse() {
    let (notes, cache) = Notes::with_cache();
    let text = |text: &str| Argument::Text(text.to_owned());
    let mut keys = Vec::new();
    for (a, b) in [
        (Argument::Integer(1), text("2")),
        (text("1"), Argument::Integer(2)),
        (text("1"), text("2")),
        (text("a:b"), text("c")),
        (text("a"), text("b:c")),
        (Argument::None, text("")),
        (text(""), Argument::None),
        (text("~"), text("")),
        (Argument::List(vec![]), text("")),
        (Argument::List(vec![text("")]), text("")),
        (Argument::Tuple(vec![text("a"), text("b")]), text("")),
        (text("(a,b)"), text("")),
        (Argument::Bool(true), text("")),
        (text("true"), text("")),
    ] {
        two(&cache, &a, &b).await;
        keys.push(notes.take());
    }
    for (i, key) in keys.iter().enumerate() {
        assert!(!keys[i + 1..].contains(key), "{key} stands for two calls: {keys:#?}");
    }
}
