//! Traces what a type's `Deserialize` asks for, by giving it made-up values.
//!
//! Each pass follows one way down: one field of each struct, one variant of each enum, one item of each tuple. The next
//! pass takes the next way. So a field whose type rejects made-up values (a date, a URL) hides nothing but itself.
//! Where a type asks for anything there is, [`buffered`](super::buffered) goes on.

use super::buffered;
use super::complaint::{Answer, Stop, answer_of, succeeds};
use super::node::{self, Node, NodeDeserializer};
use super::scalars::scalars;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use std::fmt::{Display, Write as _};

/// Bounds for very large types, and for types without a name that contain themselves.
const MAX_PASSES: usize = 2_000;
const MAX_TEXT: usize = 1 << 18;
const MAX_DEPTH: usize = 64;

/// The shape of a type.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// All that was seen, as text.
    pub(super) text: String,
    /// Some of the type may not have been seen.
    pub(super) is_partial: bool,
}

/// Finds the shape of a type.
pub(super) fn shape_of<T: DeserializeOwned>() -> Shape {
    let mut trace = Trace::default();
    // A `Deserialize` that panics at made-up values would end the program.
    if cfg!(panic = "abort") {
        return Shape { is_partial: true, ..Shape::default() };
    }
    node::forget();
    let mut passes = 0;
    loop {
        passes += 1;
        succeeds(|| T::deserialize(Tracer(&mut trace)));
        if let Some(buffer) = trace.buffer.take() {
            let outer = trace.fields.clone();
            let mut ask = |node: &Node| trace.answered::<T>(&buffer, node);
            let found = buffered::find(&mut ask, buffer.flat, &outer);
            let is_noted = trace.note(found.text).is_ok();
            trace.is_partial |= found.is_partial || !is_noted;
        }
        let is_again = node::has_more();
        if passes >= MAX_PASSES {
            trace.is_partial = true;
            break;
        }
        if is_again {
            trace.pass = Pass::default();
        } else if !trace.next_way() {
            break;
        }
    }
    Shape { text: trace.text, is_partial: trace.is_partial }
}

#[derive(Default)]
struct Trace {
    text: String,
    is_partial: bool,
    /// The way of this pass: for each fork, the branch taken and the number of branches.
    way: Vec<(usize, usize)>,
    /// The fields of all structs seen so far.
    fields: Vec<&'static str>,
    /// The buffer that this pass has reached.
    buffer: Option<Buffer>,
    /// The value to give to the buffer of that number. While it is set, nothing is noted.
    answer: Option<(usize, Node)>,
    pass: Pass,
}

/// The state of one pass.
#[derive(Default)]
struct Pass {
    forks: usize,
    /// The named types around the current place, and whether each is a struct. A type that is already among them is
    /// recursive.
    inside: Vec<(&'static str, bool)>,
    depth: usize,
    /// How many places so far may belong to a buffer.
    places: usize,
    /// A rejected made-up value hides what comes after it.
    is_blocked: bool,
    /// The type asked for a map key that is the name of a field.
    is_field: bool,
    /// The type asked for an enum, which may be the tag of another one.
    is_enum: bool,
}

/// A place where a type asks for anything there is.
struct Buffer {
    number: usize,
    /// The size of the struct, if it has flattened fields.
    flat: Option<usize>,
}

struct Tracer<'a>(&'a mut Trace);

impl Trace {
    fn note(&mut self, what: impl Display) -> Result<(), Stop> {
        if self.answer.is_some() {
            return Ok(());
        }
        if self.text.len() > MAX_TEXT {
            self.is_partial = true;
            return Err(Stop);
        }
        let _ = write!(self.text, "{what};");
        Ok(())
    }

    /// Which of the `branches` this pass takes.
    fn fork(&mut self, branches: usize) -> usize {
        if self.pass.forks == self.way.len() {
            if self.answer.is_some() {
                return 0;
            }
            self.way.push((0, branches));
        }
        self.pass.forks += 1;
        self.way[self.pass.forks - 1].0
    }

    /// Prepares the next way; `false` if all have been followed.
    fn next_way(&mut self) -> bool {
        self.is_partial |= self.pass.is_blocked;
        self.pass = Pass::default();
        while let Some((branch, branches)) = self.way.pop() {
            if branch + 1 < branches {
                self.way.push((branch + 1, branches));
                self.text.push('\n');
                return true;
            }
        }
        false
    }

    /// Follows the same way again, and gives `node` to the buffer at its end.
    fn answered<T: DeserializeOwned>(&mut self, buffer: &Buffer, node: &Node) -> Answer {
        self.pass = Pass::default();
        self.answer = Some((buffer.number, node.clone()));
        let answer = answer_of(|| T::deserialize(Tracer(self)));
        self.answer = None;
        answer
    }
}

impl<'a> Tracer<'a> {
    /// Goes on inside a named type, unless this pass is inside it already.
    fn inside<R>(
        self,
        name: &'static str,
        is_struct: bool,
        answer: impl FnOnce(Tracer<'_>) -> Result<R, Stop>,
    ) -> Result<R, Stop> {
        self.0.note(name)?;
        if self.0.pass.inside.iter().any(|(outer, _)| *outer == name) {
            return Err(Stop);
        }
        self.0.pass.inside.push((name, is_struct));
        let result = answer(Tracer(self.0));
        self.0.pass.inside.pop();
        result
    }

    /// Traces one of `count` items; those before it get fitting values.
    fn items(self, count: usize) -> Items<'a> {
        let traced = if count > 1 { self.0.fork(count) } else { 0 };
        Items { trace: self.0, fitting: traced, is_over: count == 0 }
    }

    /// The value to give, if this is the place of the buffer that gets one.
    fn answer(&mut self) -> Option<Node> {
        self.0.pass.places += 1;
        let number = self.0.pass.places;
        self.0.answer.as_ref().filter(|(of, _)| *of == number).map(|(_, node)| node.clone())
    }

    /// Goes on inside a type without a name.
    fn deeper<R>(self, answer: impl FnOnce(Tracer<'_>) -> Result<R, Stop>) -> Result<R, Stop> {
        if self.0.pass.depth >= MAX_DEPTH {
            self.0.is_partial = true;
            return Err(Stop);
        }
        self.0.pass.depth += 1;
        let result = answer(Tracer(self.0));
        self.0.pass.depth = self.0.pass.depth.saturating_sub(1);
        result
    }
}

macro_rules! noted {
    ($($name:ident $visit:ident $($value:expr)?;)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            self.0.note(&stringify!($name)["deserialize_".len()..])?;
            visitor.$visit($($value)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Stop;

    scalars!(noted);
    noted! {
        deserialize_str visit_str "a";
        deserialize_string visit_str "a";
    }

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        if let Some(node) = self.answer() {
            return NodeDeserializer::new(&node).deserialize_any(visitor);
        }
        self.0.note("any")?;
        self.0.buffer = Some(Buffer { number: self.0.pass.places, flat: None });
        Err(Stop)
    }

    /// A map has the name of a field as its key only where fields are flattened.
    fn deserialize_identifier<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        self.0.pass.is_field = true;
        Err(Stop)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.0.note("option")?;
        self.deeper(|inner| visitor.visit_some(inner))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Stop> {
        self.0.note(name)?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Stop> {
        self.inside(name, false, |inner| visitor.visit_newtype_struct(inner))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.0.note("seq")?;
        self.deeper(|inner| visitor.visit_seq(inner.items(1)))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.0.note(format_args!("tuple {len}"))?;
        self.deeper(|inner| visitor.visit_seq(inner.items(len)))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.inside(name, false, |inner| visitor.visit_seq(inner.items(len)))
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        if let Some(node) = self.answer() {
            return NodeDeserializer::new(&node).deserialize_any(visitor);
        }
        let number = self.0.pass.places;
        self.0.note("map")?;
        self.deeper(|inner| {
            let is_key = inner.0.fork(2) == 0;
            let result = visitor.visit_map(OneEntry { trace: inner.0, is_key, is_over: false });
            if std::mem::take(&mut inner.0.pass.is_field) {
                // Flattened fields are no map: there is no branch for a value.
                inner.0.way.pop();
                inner.0.buffer = Some(Buffer { number, flat: Some(size_of::<V::Value>()) });
            }
            result
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.note(format_args!("{fields:?}"))?;
        if self.0.answer.is_none() {
            self.0.fields.extend(fields);
        }
        self.inside(name, true, |inner| {
            let field = fields.get(inner.0.fork(fields.len().max(1))).copied();
            if let Some(field) = field {
                inner.0.note(field)?;
            }
            visitor.visit_map(OneField { trace: inner.0, next: field, fields })
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.note(format_args!("{variants:?}"))?;
        let answer = |inner: Tracer<'_>| {
            let variant = variants.get(inner.0.fork(variants.len().max(1))).copied().ok_or(Stop)?;
            inner.0.note(variant)?;
            visitor.visit_enum(Variant { trace: inner.0, name: variant })
        };
        self.0.pass.is_enum = true;
        // Serde reads an adjacently tagged enum (`tag` and `content`) as a struct of the same name.
        if self.0.pass.inside.last() == Some(&(name, true)) {
            self.deeper(answer)
        } else {
            self.inside(name, false, answer)
        }
    }
}

/// A sequence of items, one of which is traced.
struct Items<'a> {
    trace: &'a mut Trace,
    /// How many items still come before the traced one.
    fitting: usize,
    is_over: bool,
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stop> {
        if self.fitting > 0 {
            self.fitting -= 1;
            return seed
                .deserialize(NodeDeserializer::fitting())
                .map(Some)
                .inspect_err(|_| self.trace.pass.is_blocked = true);
        }
        if std::mem::replace(&mut self.is_over, true) {
            return Ok(None);
        }
        seed.deserialize(Tracer(self.trace)).map(Some)
    }
}

/// One entry of a map; either its key or its value is traced.
struct OneEntry<'a> {
    trace: &'a mut Trace,
    is_key: bool,
    is_over: bool,
}

impl<'de> de::MapAccess<'de> for OneEntry<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        if std::mem::replace(&mut self.is_over, true) {
            return Ok(None);
        }
        if self.is_key {
            return seed.deserialize(Tracer(self.trace)).map(Some);
        }
        seed.deserialize(NodeDeserializer::fitting()).map(Some).inspect_err(|_| self.trace.pass.is_blocked = true)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        if self.is_key { Err(Stop) } else { seed.deserialize(Tracer(self.trace)) }
    }
}

/// One field of a struct, or the tag and the content of an enum.
struct OneField<'a> {
    trace: &'a mut Trace,
    next: Option<&'static str>,
    fields: &'static [&'static str],
}

impl<'de> de::MapAccess<'de> for OneField<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        let Some(name) = self.next else { return Ok(None) };
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        self.trace.pass.is_enum = false;
        let value = seed.deserialize(Tracer(self.trace))?;
        self.next = match self.fields {
            // If this is a struct with two fields, its second one is traced once more, which does no harm.
            [tag, content] if self.trace.pass.is_enum && self.next == Some(tag) => Some(content),
            _ => None,
        };
        Ok(value)
    }
}

struct Variant<'a> {
    trace: &'a mut Trace,
    name: &'static str,
}

impl<'de, 'a> de::EnumAccess<'de> for Variant<'a> {
    type Error = Stop;
    type Variant = VariantContent<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self::Variant), Stop> {
        let value = seed.deserialize(self.name.into_deserializer())?;
        Ok((value, VariantContent(self.trace)))
    }
}

struct VariantContent<'a>(&'a mut Trace);

impl<'de> de::VariantAccess<'de> for VariantContent<'_> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Stop> {
        seed.deserialize(Tracer(self.0))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        Tracer(self.0).deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Stop> {
        Tracer(self.0).deserialize_struct("", fields, visitor)
    }
}
