//! Values that are easily confused: what serde's attributes hide, rename, merge and reorder.
#![expect(clippy::option_option, reason = "`Some(None)` and `None` are what is easily confused")]

use cached_core::CacheKey;
use fastrand::Rng;
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A text that hides what it stands for.
fn redacted<S: Serializer>(_: &str, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str("***")
}

#[derive(Debug, Clone, PartialEq, Serialize, CacheKey)]
pub(crate) struct Search {
    pub(crate) text: String,
    #[serde(skip)]
    pub(crate) tenant: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<u8>,
    /// Serde gives it the same name as the text.
    #[serde(rename = "text")]
    pub(crate) lang: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, CacheKey)]
pub(crate) struct Login {
    pub(crate) host: String,
    #[serde(serialize_with = "redacted")]
    pub(crate) token: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, CacheKey)]
#[serde(untagged)]
pub(crate) enum Owner {
    User { id: u8 },
    Team { id: u8 },
    Named(String),
    Alias(String),
    Nobody,
    Missing,
}

#[derive(Debug, Clone, PartialEq, Serialize, CacheKey)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sort {
    #[serde(rename = "up")]
    Ascending,
    #[serde(rename = "up")]
    Descending(#[serde(skip)] u8),
    By {
        #[serde(rename = "by")]
        first: Option<u8>,
        #[serde(rename = "by")]
        then: Option<u8>,
    },
}

/// Two `id`s on one level.
#[derive(Debug, Clone, PartialEq, Serialize, CacheKey)]
pub(crate) struct Flat {
    pub(crate) id: u8,
    #[serde(flatten)]
    pub(crate) rest: Rest,
}

#[derive(Debug, Clone, PartialEq, Serialize, CacheKey)]
pub(crate) struct Rest {
    pub(crate) id: u8,
    pub(crate) owner: Owner,
}

#[derive(Debug, Clone, PartialEq, Serialize, CacheKey)]
pub(crate) struct Filter {
    pub(crate) tags: HashSet<String>,
    pub(crate) of: HashMap<u8, Vec<Owner>>,
    pub(crate) sorted: BTreeMap<String, HashSet<u8>>,
    pub(crate) price: Option<f64>,
    pub(crate) area: (f32, f32),
}

/// Any kind of argument, nested in each other.
#[derive(Debug, Clone, PartialEq, Serialize, CacheKey)]
#[serde(untagged)]
pub(crate) enum Argument {
    Search(Search),
    Login(Login),
    Owner(Owner),
    Sort(Sort),
    Flat(Flat),
    Filter(Filter),
    Text(String),
    Char(char),
    Number(u8),
    Signed(i64),
    Bool(bool),
    Unit(()),
    Maybe(Option<Option<u8>>),
    Numbers(HashSet<u8>),
    Texts(HashMap<u8, String>),
    List(Vec<Argument>),
    Pair(Box<(Argument, Argument)>),
}

fn text(rng: &mut Rng) -> String {
    let texts = ["", "a", "b", "a,b", "a:b", "'a", "~", "1", "true", "(a)", "[a]", "@a", "set[a]", "%2C"];
    texts[rng.usize(..texts.len())].to_owned()
}

fn small(rng: &mut Rng) -> u8 {
    rng.u8(..3)
}

fn maybe<T>(rng: &mut Rng, value: fn(&mut Rng) -> T) -> Option<T> {
    rng.bool().then(|| value(rng))
}

fn many<T, C: FromIterator<T>>(rng: &mut Rng, value: fn(&mut Rng) -> T) -> C {
    // Equal sets are built in different orders.
    (0..rng.usize(..4)).map(|_| value(rng)).collect()
}

impl Owner {
    pub(crate) fn any(rng: &mut Rng) -> Self {
        match rng.u8(..6) {
            0 => Self::User { id: small(rng) },
            1 => Self::Team { id: small(rng) },
            2 => Self::Named(text(rng)),
            3 => Self::Alias(text(rng)),
            4 => Self::Nobody,
            _ => Self::Missing,
        }
    }
}

impl Filter {
    pub(crate) fn any(rng: &mut Rng) -> Self {
        let number = |rng: &mut Rng| [0.0, -0.0, 0.1, 0.1 + 0.2, 0.3, f64::INFINITY][rng.usize(..6)];
        Self {
            tags: many(rng, text),
            of: (0..rng.usize(..3)).map(|_| (small(rng), many(rng, Owner::any))).collect(),
            sorted: (0..rng.usize(..2)).map(|_| (text(rng), many(rng, small))).collect(),
            price: rng.bool().then(|| number(rng)),
            area: ([0.0, -0.0, 1.0][rng.usize(..3)], 0.0),
        }
    }
}

impl Argument {
    /// Any value, nested at most `depth` deep.
    pub(crate) fn any(rng: &mut Rng, depth: u8) -> Self {
        match rng.u8(..if depth == 0 { 15 } else { 18 }) {
            0 => {
                Self::Search(Search { text: text(rng), tenant: small(rng), limit: maybe(rng, small), lang: text(rng) })
            }
            1 => Self::Login(Login { host: text(rng), token: text(rng) }),
            2 => Self::Owner(Owner::any(rng)),
            3 => Self::Sort(match rng.u8(..3) {
                0 => Sort::Ascending,
                1 => Sort::Descending(small(rng)),
                _ => Sort::By { first: maybe(rng, small), then: maybe(rng, small) },
            }),
            4 => Self::Flat(Flat { id: small(rng), rest: Rest { id: small(rng), owner: Owner::any(rng) } }),
            5 => Self::Filter(Filter::any(rng)),
            6 => Self::Text(text(rng)),
            7 => Self::Char(['a', 'b', '1', '~', '\''][rng.usize(..5)]),
            8 => Self::Number(small(rng)),
            9 => Self::Signed(rng.i64(-2..3)),
            10 => Self::Bool(rng.bool()),
            11 => Self::Unit(()),
            12 => Self::Maybe(maybe(rng, |rng| maybe(rng, small))),
            13 => Self::Numbers(many(rng, small)),
            14 => Self::Texts((0..rng.usize(..4)).map(|_| (small(rng), "a".to_owned())).collect()),
            15 | 16 => Self::List((0..rng.usize(..3)).map(|_| Self::any(rng, depth - 1)).collect()),
            _ => Self::Pair(Box::new((Self::any(rng, depth - 1), Self::any(rng, depth - 1)))),
        }
    }
}

/// Like [`Argument`], of types that have only `Serialize`, which hides nothing of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) enum Foreign {
    Unit,
    Number(u8),
    Text(String),
    Maybe(Option<Option<u8>>),
    Tuple(u8, String),
    Fields { a: Option<u8>, b: f64 },
    Map(HashMap<String, u8>),
    Kind(Kind),
    Either(Either),
    List(Vec<Foreign>),
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", content = "value")]
pub(crate) enum Kind {
    A(u8),
    B(u8),
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct One {
    n: u8,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Two {
    n: u8,
}

/// The names of the structs tell its variants apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Either {
    One(One),
    Two(Two),
}

impl Foreign {
    pub(crate) fn any(rng: &mut Rng, depth: u8) -> Self {
        match rng.u8(..if depth == 0 { 9 } else { 11 }) {
            0 => Self::Unit,
            1 => Self::Number(small(rng)),
            2 => Self::Text(text(rng)),
            3 => Self::Maybe(maybe(rng, |rng| maybe(rng, small))),
            4 => Self::Tuple(small(rng), text(rng)),
            5 => Self::Fields { a: maybe(rng, small), b: [0.0, -0.0, 1.0, 0.5][rng.usize(..4)] },
            6 => Self::Map((0..rng.usize(..4)).map(|_| (text(rng), small(rng))).collect()),
            7 => Self::Kind(if rng.bool() { Kind::A(small(rng)) } else { Kind::B(small(rng)) }),
            8 => Self::Either(if rng.bool() {
                Either::One(One { n: small(rng) })
            } else {
                Either::Two(Two { n: small(rng) })
            }),
            _ => Self::List((0..rng.usize(..3)).map(|_| Self::any(rng, depth - 1)).collect()),
        }
    }
}
