//! Tells values of different types apart, and the same type before and after a change.
//!
//! A fingerprint is made from the value's type name, its shape, the codec, the attribute's `version`, the template of the
//! key and the generic arguments of the function. With the template in it, `p:<a>:<b>` and `p:x:<b>` may render the same
//! key and still never serve each other's values. The shape is what the type's `Deserialize` asks for when it is run against a
//! [`Tracer`], which answers with made-up values and notes the questions: names of structs, fields and variants, kinds
//! of numbers, `Option`s.
//!
//! One pass follows one way down: one field of each struct, one variant of each enum, and the next pass takes the next
//! way. So a field whose type rejects made-up values (a date, a URL) hides nothing but itself. What cannot be seen this
//! way is the inside of such types, and items of a tuple behind one; there the attribute's `version` has to tell.

use crate::codec::Codec;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use sha2::{Digest, Sha256};
use std::fmt::{self, Display, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The fingerprint of values of type `T`. `site` is what the attribute says about the key.
pub(crate) fn of<T: DeserializeOwned>(codec: Codec, version: u32, site: &str, generics: &str) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(stored_name(std::any::type_name::<T>()));
    hasher.update([0]);
    hasher.update(shape_of::<T>());
    hasher.update([0]);
    hasher.update(site);
    hasher.update([0]);
    hasher.update(generics);
    hasher.update([0, codec.id()]);
    hasher.update(version.to_le_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize()[..8]);
    u64::from_le_bytes(first)
}

/// The name of the type that is stored: an `Arc<User>` is written as a `User` is, and one function may return the one, another
/// the other.
fn stored_name(name: &str) -> &str {
    name.strip_prefix("alloc::sync::Arc<").and_then(|inner| inner.strip_suffix('>')).unwrap_or(name)
}

/// The generic arguments in a path: `a::Repo<u8>::find<3>` → `<u8><3>`. What has none gives nothing.
pub(crate) fn generics(path: &str) -> String {
    // The angle brackets of `<Repo as Trait>::find` and, in another module than the type's, of `a::<impl Repo>::find` name
    // an impl, no argument, unless there are more inside.
    let path = path.strip_prefix('<').unwrap_or(path).replace("<impl ", "");
    // Lifetimes tell no values apart. `#[async_trait]` gives every function some: `<Repo as Users>::find<'_, '_>`.
    let path = path.replace("'_, ", "").replace("<'_>", "");
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
    let mut trace = Trace::default();
    if cfg!(panic = "abort") {
        return trace.text;
    }
    for _ in 0..MAX_PASSES {
        // A `Deserialize` written by hand may take its input for granted; a panic there only ends the pass.
        let _ = catch_unwind(AssertUnwindSafe(|| T::deserialize(Tracer(&mut trace)).map(drop)));
        if !trace.next_way() {
            break;
        }
    }
    trace.text
}

/// Bounds for types that are very large.
const MAX_PASSES: usize = 2_000;
const MAX_TEXT: usize = 1 << 17;

#[derive(Default)]
struct Trace {
    text: String,
    /// The way of this pass: at each fork, which of how many branches.
    way: Vec<(usize, usize)>,
    /// Forks passed so far in this pass.
    forks: usize,
    /// The named types that this pass is inside of: one that comes again is recursive.
    inside: Vec<&'static str>,
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
        if self.text.len() > MAX_TEXT {
            return Err(Stop);
        }
        let _ = write!(self.text, "{what};");
        Ok(())
    }

    /// Which of `branches` this pass takes.
    fn fork(&mut self, branches: usize) -> usize {
        if self.forks == self.way.len() {
            self.way.push((0, branches));
        }
        self.forks += 1;
        self.way[self.forks - 1].0
    }

    /// Turns to the next way; `false` if all have been gone.
    fn next_way(&mut self) -> bool {
        self.forks = 0;
        self.inside.clear();
        while let Some((branch, branches)) = self.way.pop() {
            if branch + 1 < branches {
                self.way.push((branch + 1, branches));
                self.text.push('\n');
                return true;
            }
        }
        false
    }
}

impl<'a> Tracer<'a> {
    /// Goes on inside of a named type, unless this pass is inside of it already.
    fn inside<R>(self, name: &'static str, answer: impl FnOnce(Tracer<'_>) -> Result<R, Stop>) -> Result<R, Stop> {
        self.0.note(name)?;
        if self.0.inside.contains(&name) {
            return Err(Stop);
        }
        self.0.inside.push(name);
        let result = answer(Tracer(self.0));
        self.0.inside.pop();
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
        deserialize_i8 visit_i8 1;
        deserialize_i16 visit_i16 1;
        deserialize_i32 visit_i32 1;
        deserialize_i64 visit_i64 1;
        deserialize_i128 visit_i128 1;
        deserialize_u8 visit_u8 1;
        deserialize_u16 visit_u16 1;
        deserialize_u32 visit_u32 1;
        deserialize_u64 visit_u64 1;
        deserialize_u128 visit_u128 1;
        deserialize_f32 visit_f32 1.0;
        deserialize_f64 visit_f64 1.0;
        deserialize_char visit_char 'a';
        deserialize_str visit_str "a";
        deserialize_string visit_str "a";
        deserialize_bytes visit_bytes b"a";
        deserialize_byte_buf visit_bytes b"a";
        deserialize_unit visit_unit;
        deserialize_identifier visit_str "a";
        deserialize_ignored_any visit_unit;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.0.note("option")?;
        visitor.visit_some(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Stop> {
        self.0.note(name)?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Stop> {
        self.inside(name, |inner| visitor.visit_newtype_struct(inner))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.0.note("seq")?;
        visitor.visit_seq(self.items(1))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.0.note(format_args!("tuple {len}"))?;
        visitor.visit_seq(self.items(len))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.inside(name, |inner| visitor.visit_seq(inner.items(len)))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.0.note("map")?;
        visitor.visit_map(OneEntry { trace: self.0, name: None, is_over: false })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.note(format_args!("{fields:?}"))?;
        self.inside(name, |inner| {
            let field = fields.get(inner.0.fork(fields.len().max(1))).copied();
            if let Some(field) = field {
                inner.0.note(field)?;
            }
            visitor.visit_map(OneEntry { trace: inner.0, name: field, is_over: field.is_none() })
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.note(format_args!("{variants:?}"))?;
        self.inside(name, |inner| {
            let variant = variants.get(inner.0.fork(variants.len().max(1))).copied().ok_or(Stop)?;
            inner.0.note(variant)?;
            visitor.visit_enum(Variant { trace: inner.0, name: variant })
        })
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

/// One field of a struct, or one made-up entry of a map.
struct OneEntry<'a> {
    trace: &'a mut Trace,
    name: Option<&'static str>,
    is_over: bool,
}

impl<'de> de::MapAccess<'de> for OneEntry<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        if std::mem::replace(&mut self.is_over, true) {
            return Ok(None);
        }
        match self.name {
            Some(name) => seed.deserialize(name.into_deserializer()).map(Some),
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
        assert_eq!(shape_of::<Option<u8>>(), "option;u8;");
        let user = shape_of::<before::User>();
        assert!(user.contains(r#"["id", "tags"];User;id;u64;"#) && user.contains("tags;seq;string;"), "{user}");
    }

    /// Each differs from the next in one place that a made-up value does not get to in a single pass.
    #[test]
    fn nothing_hides_behind_what_rejects_made_up_values() {
        macro_rules! variants {
            ($($name:ident: $ty:ty;)*) => {$(
                mod $name {
                    #[derive(serde::Deserialize)]
                    #[expect(dead_code, reason = "only traced")]
                    pub(super) struct S {
                        address: std::net::IpAddr,
                        tree: Option<Box<S>>,
                        last: $ty,
                        either: E,
                    }
                    #[derive(serde::Deserialize)]
                    #[expect(dead_code, reason = "only traced")]
                    pub(super) enum E {
                        First(std::net::IpAddr),
                        Second { value: $ty },
                    }
                }
            )*};
        }
        variants! { unsigned: u32; signed: i32; }
        let shapes = [shape_of::<unsigned::S>(), shape_of::<signed::S>()];
        assert_ne!(shapes[0], shapes[1]);
        assert!(shapes[0].contains("last;u32;") && shapes[0].contains("value;u32;"), "{}", shapes[0]);
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
        #[derive(Deserialize)]
        #[serde(from = "String")]
        #[expect(dead_code, reason = "only traced")]
        struct Panics(u64);
        impl From<String> for Panics {
            fn from(text: String) -> Self {
                Self(text.parse().expect("always a number"))
            }
        }
        impl From<String> for First {
            fn from(text: String) -> Self {
                Self(text.chars().next().expect("never empty"))
            }
        }
        assert_eq!(shape_of::<(u8, First)>(), "tuple 2;u8;string;");
        assert_eq!(shape_of::<(u8, Panics)>(), "tuple 2;u8;string;");
    }

    #[test]
    fn codec_version_template_and_generics_count() {
        let base = of::<u8>(Codec::Json, 1, "k", "");
        assert_ne!(base, of::<u8>(Codec::Postcard, 1, "k", ""));
        assert_ne!(base, of::<u8>(Codec::Json, 2, "k", ""));
        assert_ne!(base, of::<u8>(Codec::Json, 1, "l", ""));
        assert_ne!(base, of::<u8>(Codec::Json, 1, "k", "<u8>"));
        assert_ne!(base, of::<u16>(Codec::Json, 1, "k", ""));
        assert_eq!(base, of::<u8>(Codec::Json, 1, "k", ""));
        assert_eq!(base, of::<std::sync::Arc<u8>>(Codec::Json, 1, "k", ""));
        assert_ne!(base, of::<Vec<u8>>(Codec::Json, 1, "k", ""));
    }

    #[test]
    fn generics_of_a_path() {
        assert_eq!(generics("a::m::Repo<u8>::a<3, &str>::{{closure}}"), "<u8><3, &str>");
        assert_eq!(generics("<a::P as a::Tr>::e"), "");
        assert_eq!(generics("<a::Repo<u8> as a::Tr>::e"), "<u8>");
        assert_eq!(generics("a::P::d"), "");
        assert_eq!(generics("<a::P as a::Tr>::e<'_, '_>::{{closure}}"), "");
        assert_eq!(generics("a::P<'_>::e<'_, u8>"), "<u8>");
        assert_eq!(generics("a::writes::<impl a::P>::d"), "");
        assert_eq!(generics("a::writes::<impl a::Repo<u8>>::d<3>"), "<u8><3>");
    }
}
