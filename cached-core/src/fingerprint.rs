//! Tells values of different types apart, and the same type before and after a change.
//!
//! A fingerprint is made from the value's type name, its shape, the codec, the attribute's `version` and the generic
//! arguments of the function. The shape is what the type's `Deserialize` asks for when it is run against a
//! [`Tracer`], which answers with made-up values and notes the questions: names of structs, fields and variants, kinds
//! of numbers, `Option`s. A `Deserialize` that rejects made-up values ends the trace early; what was noted until then
//! still counts, and it is the same in every process that runs the same code.

use crate::codec::Codec;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use sha2::{Digest, Sha256};
use std::fmt::{self, Display, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The fingerprint of values of type `T`.
pub(crate) fn of<T: DeserializeOwned>(codec: Codec, version: u32, generics: &str) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(std::any::type_name::<T>());
    hasher.update([0]);
    hasher.update(shape_of::<T>());
    hasher.update([0]);
    hasher.update(generics);
    hasher.update([0, codec.id()]);
    hasher.update(version.to_le_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize()[..8]);
    u64::from_le_bytes(first)
}

/// The generic arguments in a path: `a::Repo<u8>::find<3>` → `<u8><3>`. What has none gives nothing.
pub(crate) fn generics(path: &str) -> String {
    // The angle brackets of `<Repo as Trait>::find` name an impl, no argument, unless there are more inside.
    let path = path.strip_prefix('<').unwrap_or(path);
    let mut depth = 0u32;
    let mut out = String::new();
    let mut before = ' ';
    for c in path.chars() {
        depth += u32::from(c == '<');
        if depth > 0 {
            out.push(c);
        }
        // The `>` of a `->` closes nothing.
        if c == '>' && before != '-' {
            depth = depth.saturating_sub(1);
        }
        before = c;
    }
    out
}

/// What the type's `Deserialize` asks for, as text.
fn shape_of<T: DeserializeOwned>() -> String {
    let mut trace = Trace { text: String::new(), questions: 0, depth: 0 };
    if cfg!(panic = "abort") {
        return trace.text;
    }
    // A `Deserialize` written by hand may take its input for granted; a panic there only ends the trace.
    let _ = catch_unwind(AssertUnwindSafe(|| T::deserialize(Tracer(&mut trace)).map(drop)));
    trace.text
}

/// Bounds for types that are recursive or endless.
const MAX_QUESTIONS: usize = 2_000;
const MAX_DEPTH: usize = 16;

struct Trace {
    text: String,
    questions: usize,
    depth: usize,
}

struct Tracer<'a>(&'a mut Trace);

#[derive(Debug)]
struct Stop;

impl Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the trace ends here")
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

impl Trace {
    fn note(&mut self, what: impl Display) -> Result<(), Stop> {
        self.questions += 1;
        if self.questions > MAX_QUESTIONS {
            return Err(Stop);
        }
        let _ = write!(self.text, "{what};");
        Ok(())
    }
}

impl<'a> Tracer<'a> {
    /// Answers inside of something; too deep inside, the trace goes no further.
    fn inside<R>(self, answer: impl FnOnce(Tracer<'_>) -> Result<R, Stop>) -> Result<R, Stop> {
        if self.0.depth == MAX_DEPTH {
            return Err(Stop);
        }
        self.0.depth += 1;
        let result = answer(Tracer(self.0));
        self.0.depth -= 1;
        result
    }

    fn items(self, count: usize) -> Items<'a> {
        Items { trace: self.0, left: count }
    }
}

macro_rules! scalars {
    ($($name:ident $visit:ident $($value:expr)?;)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            self.0.note(&stringify!($name)["deserialize_".len()..])?;
            visitor.$visit($($value)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Stop;

    scalars! {
        deserialize_any visit_unit;
        deserialize_bool visit_bool false;
        deserialize_i8 visit_i8 0;
        deserialize_i16 visit_i16 0;
        deserialize_i32 visit_i32 0;
        deserialize_i64 visit_i64 0;
        deserialize_i128 visit_i128 0;
        deserialize_u8 visit_u8 0;
        deserialize_u16 visit_u16 0;
        deserialize_u32 visit_u32 0;
        deserialize_u64 visit_u64 0;
        deserialize_u128 visit_u128 0;
        deserialize_f32 visit_f32 0.0;
        deserialize_f64 visit_f64 0.0;
        deserialize_char visit_char 'a';
        deserialize_str visit_str "";
        deserialize_string visit_str "";
        deserialize_bytes visit_bytes b"";
        deserialize_byte_buf visit_bytes b"";
        deserialize_unit visit_unit;
        deserialize_identifier visit_str "";
        deserialize_ignored_any visit_unit;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.0.note("option")?;
        if self.0.depth == MAX_DEPTH {
            return visitor.visit_none();
        }
        self.inside(|inner| visitor.visit_some(inner))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Stop> {
        self.0.note(name)?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Stop> {
        self.0.note(name)?;
        self.inside(|inner| visitor.visit_newtype_struct(inner))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.0.note("seq")?;
        if self.0.depth == MAX_DEPTH {
            return visitor.visit_seq(self.items(0));
        }
        self.inside(|inner| visitor.visit_seq(inner.items(1)))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.0.note(format_args!("tuple {len}"))?;
        self.inside(|inner| visitor.visit_seq(inner.items(len)))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.note(format_args!("{name} {len}"))?;
        self.inside(|inner| visitor.visit_seq(inner.items(len)))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.0.note("map")?;
        if self.0.depth == MAX_DEPTH {
            return visitor.visit_map(Fields { trace: self.0, names: &[], entries: 0 });
        }
        self.inside(|inner| visitor.visit_map(Fields { trace: inner.0, names: &[], entries: 1 }))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.note(format_args!("{name} {fields:?}"))?;
        self.inside(|inner| visitor.visit_map(Fields { trace: inner.0, names: fields, entries: fields.len() }))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.note(format_args!("{name} {variants:?}"))?;
        // One answer can be only one variant; the first stands for all, the others count by name.
        let first = variants.first().copied().ok_or(Stop)?;
        self.inside(|inner| visitor.visit_enum(Variant { trace: inner.0, name: first }))
    }
}

/// A sequence of `left` made-up items.
struct Items<'a> {
    trace: &'a mut Trace,
    left: usize,
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stop> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(Tracer(self.trace)).map(Some)
    }
}

/// The fields of a struct by name, or `entries` made-up entries of a map.
struct Fields<'a> {
    trace: &'a mut Trace,
    names: &'static [&'static str],
    entries: usize,
}

impl<'de> de::MapAccess<'de> for Fields<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        if self.entries == 0 {
            return Ok(None);
        }
        self.entries -= 1;
        match self.names.split_first() {
            Some((name, rest)) => {
                self.names = rest;
                seed.deserialize((*name).into_deserializer()).map(Some)
            }
            None => seed.deserialize(Tracer(self.trace)).map(Some),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        seed.deserialize(Tracer(self.trace))
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::HashMap;

    mod before {
        #[derive(serde::Deserialize)]
        #[expect(dead_code, reason = "only traced")]
        pub(super) struct User {
            id: u64,
            tags: Vec<String>,
        }
    }

    mod after {
        #[derive(serde::Deserialize)]
        #[expect(dead_code, reason = "only traced")]
        pub(super) struct User {
            id: u64,
            tags: Vec<u8>,
        }
    }

    #[test]
    fn a_change_inside_a_field_changes_the_shape() {
        assert_ne!(shape_of::<before::User>(), shape_of::<after::User>());
        assert_eq!(shape_of::<before::User>(), r#"User ["id", "tags"];u64;seq;string;"#);
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only traced")]
    struct Tree {
        children: Vec<Tree>,
        parent: Option<Box<Tree>>,
        attributes: HashMap<String, Tree>,
    }

    #[test]
    fn recursive_types_end() {
        assert!(shape_of::<Tree>().len() < 100_000);
    }

    #[test]
    fn a_panicking_deserialize_only_ends_the_trace() {
        #[derive(Deserialize)]
        #[serde(from = "String")]
        #[expect(dead_code, reason = "only traced")]
        struct First(char);
        impl From<String> for First {
            fn from(text: String) -> Self {
                Self(text.chars().next().expect("never empty"))
            }
        }
        assert_eq!(shape_of::<(u8, First)>(), "tuple 2;u8;string;");
    }

    #[test]
    fn codec_version_and_generics_count() {
        let base = of::<u8>(Codec::Json, 1, "");
        assert_ne!(base, of::<u8>(Codec::Postcard, 1, ""));
        assert_ne!(base, of::<u8>(Codec::Json, 2, ""));
        assert_ne!(base, of::<u8>(Codec::Json, 1, "<u8>"));
        assert_ne!(base, of::<u16>(Codec::Json, 1, ""));
        assert_eq!(base, of::<u8>(Codec::Json, 1, ""));
    }

    #[test]
    fn generics_of_a_path() {
        assert_eq!(generics("a::m::Repo<u8>::a<3, &str>::{{closure}}"), "<u8><3, &str>");
        assert_eq!(generics("<a::P as a::Tr>::e"), "");
        assert_eq!(generics("<a::Repo<u8> as a::Tr>::e"), "<u8>");
        assert_eq!(generics("a::P::d"), "");
    }
}
