//! An argument whose segment is readable.

use arbitrary::Arbitrary;
use cached_core::{KeyIdentity, KeySegment, SegmentWriter};

#[derive(Arbitrary, Debug, Clone)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Signed(i128),
    Unsigned(u128),
    Bool(bool),
    Char(char),
    None,
    Some(Box<Value>),
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Variant(String, Vec<Value>),
}

/// Values that may have one key: `Some(x)` is `x`, a `char` is a text, and so is a variant without fields.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Text(String),
    Number(String),
    Bool(bool),
    None,
    /// Only of a `None`.
    Some(Box<Meaning>),
    Tuple(Vec<Meaning>),
    List(Vec<Meaning>),
    Variant(String, Vec<Meaning>),
}

impl Value {
    pub(crate) fn meaning(&self) -> Meaning {
        let all = |values: &[Self]| values.iter().map(Self::meaning).collect();
        match self {
            Self::Text(text) => Meaning::Text(text.clone()),
            Self::Integer(n) => Meaning::Number(n.to_string()),
            Self::Signed(n) => Meaning::Number(n.to_string()),
            Self::Unsigned(n) => Meaning::Number(n.to_string()),
            Self::Bool(b) => Meaning::Bool(*b),
            Self::Char(c) => Meaning::Text(c.to_string()),
            Self::None => Meaning::None,
            Self::Some(inner) => match inner.meaning() {
                none @ (Meaning::None | Meaning::Some(_)) => Meaning::Some(Box::new(none)),
                other => other,
            },
            Self::Tuple(items) => Meaning::Tuple(all(items)),
            Self::List(items) => Meaning::List(all(items)),
            Self::Variant(name, fields) if fields.is_empty() => Meaning::Text(name.clone()),
            Self::Variant(name, fields) => Meaning::Variant(name.clone(), all(fields)),
        }
    }
}

/// Uses the library's own implementations.
impl KeySegment for Value {}

impl KeyIdentity for Value {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        match self {
            Self::Text(text) => text.write(out),
            Self::Integer(n) => n.write(out),
            Self::Signed(n) => n.write(out),
            Self::Unsigned(n) => n.write(out),
            Self::Bool(b) => b.write(out),
            Self::Char(c) => c.write(out),
            Self::None => None::<u8>.write(out),
            Self::Some(inner) => Some(inner).write(out),
            Self::Tuple(items) => out.tuple(&segments(items)),
            Self::List(items) => items.write(out),
            Self::Variant(name, fields) => out.variant(name, &segments(fields)),
        }
    }
}

fn segments(values: &[Value]) -> Vec<&dyn KeyIdentity> {
    values.iter().map(|value| value as &dyn KeyIdentity).collect()
}
