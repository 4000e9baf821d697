//! An argument of another crate: anything that serde can describe.

use arbitrary::Arbitrary;
use serde::ser::{Serialize, SerializeTupleVariant as _, Serializer};

#[derive(Arbitrary, Debug, Clone)]
pub(crate) enum Data {
    Text(String),
    Integer(i64),
    Unsigned(u128),
    Float(f64),
    Bool(bool),
    Char(char),
    Unit,
    None,
    Some(Box<Data>),
    List(Vec<Data>),
    Map(Vec<(Data, Data)>),
    /// A variant's name is one of [`NAMES`].
    Variant(u8, Vec<Data>),
}

const NAMES: [&str; 5] = ["A", "B", "null", "?", "\""];

fn name(n: u8) -> &'static str {
    NAMES[usize::from(n) % NAMES.len()]
}

/// The meaning of data. Data with one meaning may have one hash: the two zeros. Unlike in JSON, a variant is not a map
/// of one entry, an option is not its value, the unit is not nothing, and `1.0` is not `1`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Meaning {
    Text(String),
    /// In its written form.
    Number(String),
    Bool(bool),
    Unit,
    None,
    Some(Box<Meaning>),
    List(Vec<Meaning>),
    /// Sorted.
    Map(Vec<(Meaning, Meaning)>),
    Variant(String, Vec<Meaning>),
}

impl Data {
    pub(crate) fn meaning(&self) -> Meaning {
        match self {
            Self::Text(text) => Meaning::Text(text.clone()),
            Self::Integer(n) => Meaning::Number(n.to_string()),
            Self::Unsigned(n) => Meaning::Number(n.to_string()),
            Self::Float(n) => Meaning::Number(format!("{:?}", if *n == 0.0 { 0.0 } else { *n })),
            Self::Bool(b) => Meaning::Bool(*b),
            Self::Char(c) => Meaning::Text(c.to_string()),
            Self::Unit => Meaning::Unit,
            Self::None => Meaning::None,
            Self::Some(inner) => Meaning::Some(Box::new(inner.meaning())),
            Self::List(items) => Meaning::List(items.iter().map(Self::meaning).collect()),
            Self::Map(entries) => {
                let mut entries: Vec<_> = entries.iter().map(|(key, value)| (key.meaning(), value.meaning())).collect();
                entries.sort();
                Meaning::Map(entries)
            }
            Self::Variant(n, fields) => {
                Meaning::Variant(name(*n).to_owned(), fields.iter().map(Self::meaning).collect())
            }
        }
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => out.serialize_str(text),
            Self::Integer(n) => out.serialize_i64(*n),
            Self::Unsigned(n) => out.serialize_u128(*n),
            Self::Float(n) => out.serialize_f64(*n),
            Self::Bool(b) => out.serialize_bool(*b),
            Self::Char(c) => out.serialize_char(*c),
            Self::Unit => out.serialize_unit(),
            Self::None => out.serialize_none(),
            Self::Some(inner) => out.serialize_some(inner),
            Self::List(items) => out.collect_seq(items),
            Self::Map(entries) => out.collect_map(entries.iter().map(|(key, value)| (key, value))),
            Self::Variant(n, fields) => match fields.as_slice() {
                [] => out.serialize_unit_variant("Data", 0, name(*n)),
                [only] => out.serialize_newtype_variant("Data", 0, name(*n), only),
                many => {
                    let mut variant = out.serialize_tuple_variant("Data", 0, name(*n), many.len())?;
                    many.iter().try_for_each(|field| variant.serialize_field(field))?;
                    variant.end()
                }
            },
        }
    }
}
