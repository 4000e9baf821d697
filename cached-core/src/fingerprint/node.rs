//! Made-up values, and a deserializer that gives one to a type.

use super::complaint::Stop;
use super::scalars::scalars;
use serde::de::{self, DeserializeSeed, Deserializer, Error as _, Visitor};
use std::cell::RefCell;

/// A made-up value.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// The value that the type asks for; a unit, if it asks for anything there is.
    Fitting,
    /// Bytes that are no text, which hardly any type accepts.
    Bytes,
    Unit,
    Bool,
    U64(u64),
    I64(i64),
    F64,
    Text(&'static str),
    Seq(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// Texts that types may be read from, tried in this order.
pub(super) const TEXTS: [&str; 12] = [
    "a",
    "1",
    "1.5",
    "2000-01-01T00:00:00Z",
    "2000-01-01T00:00:00",
    "2000-01-01",
    "00:00:00",
    "127.0.0.1",
    "67e55044-10b1-426f-9247-bb680e5fe0c8",
    "http://a.b/",
    "::1",
    "1h",
];

/// The depth at which a type that contains itself endlessly is given up.
const MAX_DEPTH: usize = 32;

#[derive(Default)]
struct TextAttempts {
    /// The number in [`TEXTS`] of the text to try next, for each visitor that reads texts.
    texts: Vec<(&'static str, usize)>,
    has_more: bool,
}

thread_local! {
    static ATTEMPTS: RefCell<TextAttempts> = RefCell::default();
}

/// Forgets which texts were refused by which type.
pub(super) fn forget() {
    ATTEMPTS.take();
}

/// Whether a text was refused and there is another one to try.
pub(super) fn has_more() -> bool {
    ATTEMPTS.with_borrow_mut(|attempts| std::mem::take(&mut attempts.has_more))
}

fn fitting_text<'de, V: Visitor<'de>>(visitor: V) -> Result<V::Value, Stop> {
    let name = std::any::type_name::<V>();
    let next = ATTEMPTS.with_borrow(|attempts| {
        attempts.texts.iter().find(|(visitor, _)| *visitor == name).map_or(0, |(_, next)| *next)
    });
    let result = visitor.visit_str(TEXTS.get(next).ok_or(Stop)?);
    if result.is_err() {
        ATTEMPTS.with_borrow_mut(|attempts| {
            attempts.has_more = next + 1 < TEXTS.len();
            match attempts.texts.iter_mut().find(|(visitor, _)| *visitor == name) {
                Some((_, next)) => *next += 1,
                None => attempts.texts.push((name, 1)),
            }
        });
    }
    result
}

/// Gives a made-up value to a type.
#[derive(Clone, Copy)]
pub(super) struct NodeDeserializer<'a> {
    node: &'a Node,
    depth: usize,
}

static FITTING: Node = Node::Fitting;

impl<'a> NodeDeserializer<'a> {
    pub(super) fn new(node: &'a Node) -> Self {
        Self { node, depth: 0 }
    }

    /// Gives the type what it asks for.
    pub(super) fn fitting() -> NodeDeserializer<'static> {
        NodeDeserializer::new(&FITTING)
    }

    fn inside(self, node: &Node) -> Result<NodeDeserializer<'_>, Stop> {
        if self.depth < MAX_DEPTH { Ok(NodeDeserializer { node, depth: self.depth + 1 }) } else { Err(Stop) }
    }

    fn is_fitting(self) -> bool {
        matches!(self.node, Node::Fitting)
    }

    /// Gives a sequence of `len` fitting items.
    fn items<'de, V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        let items = vec![Node::Fitting; len];
        visitor.visit_seq(&mut Items { left: items.iter(), parent: self })
    }

    /// Gives a struct with all of its fields.
    fn fields<'de, V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Stop> {
        let entries: Vec<_> = fields.iter().map(|field| (Node::Text(field), Node::Fitting)).collect();
        visitor.visit_map(Entries { left: entries.iter(), value: None, parent: self })
    }
}

macro_rules! fitting {
    ($($name:ident $visit:ident $($value:expr)?;)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            if self.is_fitting() { visitor.$visit($($value)?) } else { self.deserialize_any(visitor) }
        }
    )*};
}

impl<'de> Deserializer<'de> for NodeDeserializer<'_> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.node {
            Node::Fitting | Node::Unit => visitor.visit_unit(),
            Node::Bytes => visitor.visit_bytes(b"\xff"),
            Node::Bool => visitor.visit_bool(true),
            Node::U64(value) => visitor.visit_u64(*value),
            Node::I64(value) => visitor.visit_i64(*value),
            Node::F64 => visitor.visit_f64(1.5),
            Node::Text(text) => visitor.visit_str(text),
            Node::Seq(items) => {
                let mut left = Items { left: items.iter(), parent: self };
                let value = visitor.visit_seq(&mut left)?;
                match left.left.len() {
                    0 => Ok(value),
                    _ => Err(Stop::invalid_length(items.len(), &"fewer items")),
                }
            }
            Node::Map(entries) => visitor.visit_map(Entries { left: entries.iter(), value: None, parent: self }),
        }
    }

    scalars!(fitting);
    fitting! {
        deserialize_identifier visit_str "a";
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        if self.is_fitting() { fitting_text(visitor) } else { self.deserialize_any(visitor) }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.node {
            Node::Fitting | Node::Unit => visitor.visit_none(),
            node => visitor.visit_some(self.inside(node)?),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self.inside(self.node)?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        if self.is_fitting() { self.items(0, visitor) } else { self.deserialize_any(visitor) }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        if self.is_fitting() { self.items(len, visitor) } else { self.deserialize_any(visitor) }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        if self.is_fitting() { self.fields(&[], visitor) } else { self.deserialize_any(visitor) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        if self.is_fitting() { self.fields(fields, visitor) } else { self.deserialize_any(visitor) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let (name, content) = match self.node {
            Node::Fitting => (variants.first().copied().ok_or(Stop)?, &FITTING),
            Node::Text(name) => (*name, &Node::Unit),
            Node::Map(entries) => match entries.as_slice() {
                [(Node::Text(name), content)] => (*name, content),
                _ => return Err(Stop::custom("map with a single key")),
            },
            _ => return Err(Stop::custom("string or map")),
        };
        visitor.visit_enum(Variant { name, content: self.inside(content)? })
    }
}

struct Items<'a, 'b> {
    left: std::slice::Iter<'b, Node>,
    parent: NodeDeserializer<'a>,
}

impl<'de> de::SeqAccess<'de> for &mut Items<'_, '_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stop> {
        let Some(item) = self.left.next() else { return Ok(None) };
        seed.deserialize(self.parent.inside(item)?).map(Some)
    }
}

struct Entries<'a, 'b> {
    left: std::slice::Iter<'b, (Node, Node)>,
    value: Option<&'b Node>,
    parent: NodeDeserializer<'a>,
}

impl<'de> de::MapAccess<'de> for Entries<'_, '_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        let Some((key, value)) = self.left.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(self.parent.inside(key)?).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        seed.deserialize(self.parent.inside(self.value.take().ok_or(Stop)?)?)
    }
}

struct Variant<'a> {
    name: &'static str,
    content: NodeDeserializer<'a>,
}

impl<'de, 'a> de::EnumAccess<'de> for Variant<'a> {
    type Error = Stop;
    type Variant = NodeDeserializer<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, NodeDeserializer<'a>), Stop> {
        let name = Node::Text(self.name);
        Ok((seed.deserialize(NodeDeserializer::new(&name))?, self.content))
    }
}

impl<'de> de::VariantAccess<'de> for NodeDeserializer<'_> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        if matches!(self.node, Node::Fitting | Node::Unit) { Ok(()) } else { Err(Stop::custom("unit variant")) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Stop> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_struct("", fields, visitor)
    }
}
