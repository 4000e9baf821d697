//! A serializer around the codec's own. It refuses values that the codec would silently write as something else.
//!
//! For instance, JSON writes a NaN as `null`, and postcard, which identifies fields by their place only, cannot write
//! that a field is left out.

use super::Codec;
use serde::ser::{self, Serialize, Serializer};
use std::cell::RefCell;
use std::fmt::{self, Display};

/// Why a value was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) why: Cause,
    /// The path to the refused part, such as `order.lines.price`; empty if it is the value itself.
    pub(crate) field: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cause {
    /// NaN or an infinity.
    NotFinite,
    /// A `Some` whose content is written like a `None`.
    SomeOfNothing,
    /// A field that `skip_serializing_if` leaves out.
    LeftOut,
    /// The value is not bytes, which are all that the codec writes.
    NotBytes,
    /// The codec's own error message.
    Codec(String),
}

impl Cause {
    /// What is wrong, and what to write instead.
    pub(crate) fn advice(&self, codec: Codec) -> (String, &'static str) {
        match self {
            Self::NotFinite => (
                format!("is NaN or infinite, which {codec} cannot write"),
                "write `codec = \"msgpack\"` or \"postcard\", or an `Option` that is `None` there",
            ),
            Self::SomeOfNothing => (
                format!("is a `Some` of nothing, which {codec} writes like a `None`"),
                "write `codec = \"postcard\"`, or an enum in place of the inner `Option`",
            ),
            Self::LeftOut => (
                format!("is left out by `skip_serializing_if`, and {codec} knows fields by their place only"),
                "write `codec = \"json\"` or \"msgpack\", or take the attribute off the field",
            ),
            Self::NotBytes => (
                format!("is no `Bytes`, `Vec<u8>` or `Box<[u8]>`, which are all that codec {codec} writes"),
                "write `codec = \"json\"`, \"msgpack\" or \"postcard\"",
            ),
            Self::Codec(words) => (
                format!("cannot be written as {codec}: {words}"),
                "JSON takes maps with text or numbers for keys only, postcard no `flatten`: write another `codec` or change the \
                 type",
            ),
        }
    }
}

/// Watches one value being written.
#[derive(Debug)]
pub(super) struct Guard {
    codec: Codec,
    why: RefCell<Option<Cause>>,
    /// The innermost name comes first.
    names: RefCell<Vec<&'static str>>,
}

impl Guard {
    pub(super) fn of(codec: Codec) -> Self {
        Self { codec, why: RefCell::default(), names: RefCell::default() }
    }

    /// Wraps the value, which is then given to the codec.
    pub(super) fn guarded<'a, T: ?Sized>(&'a self, value: &'a T) -> GuardedValue<'a, T> {
        GuardedValue { value, guard: self, is_some: false }
    }

    /// Why the codec stopped with this error.
    #[cold]
    pub(super) fn refusal(self, error: impl Display) -> Refusal {
        let names = self.names.into_inner();
        let field = names.iter().rev().copied().collect::<Vec<_>>().join(".");
        Refusal { why: self.why.into_inner().unwrap_or_else(|| Cause::Codec(error.to_string())), field }
    }

    #[cold]
    fn refuse<E: ser::Error>(&self, why: Cause) -> E {
        *self.why.borrow_mut() = Some(why);
        E::custom("refused")
    }

    #[cold]
    fn at(&self, name: &'static str) {
        self.names.borrow_mut().push(name);
    }

    /// Refuses a float that JSON would write as `null`.
    #[inline]
    fn float<E: ser::Error>(&self, is_finite: bool) -> Result<(), E> {
        if is_finite || self.codec != Codec::Json { Ok(()) } else { Err(self.refuse(Cause::NotFinite)) }
    }

    /// Refuses a unit in a `Some` where the codec writes a `Some` as its content: it would be read as a `None`.
    fn unit<E: ser::Error>(&self, is_some: bool) -> Result<(), E> {
        if is_some && self.codec != Codec::Postcard { Err(self.refuse(Cause::SomeOfNothing)) } else { Ok(()) }
    }
}

/// A value that is written through a guard.
#[derive(Debug)]
pub(super) struct GuardedValue<'a, T: ?Sized> {
    value: &'a T,
    guard: &'a Guard,
    /// The value is directly in a `Some`.
    is_some: bool,
}

impl<T: Serialize + ?Sized> Serialize for GuardedValue<'_, T> {
    #[inline]
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(GuardedSerializer { to, guard: self.guard, is_some: self.is_some })
    }
}

/// A serializer, or a part of one, that asks the guard before it writes.
struct GuardedSerializer<'a, S> {
    to: S,
    guard: &'a Guard,
    is_some: bool,
}

impl<'a, S> GuardedSerializer<'a, S> {
    #[inline]
    fn part<P, E>(part: Result<P, E>, guard: &'a Guard) -> Result<GuardedSerializer<'a, P>, E> {
        part.map(|to| GuardedSerializer { to, guard, is_some: false })
    }
}

macro_rules! plain {
    ($($name:ident $ty:ty;)*) => {$(
        #[inline]
        fn $name(self, value: $ty) -> Result<S::Ok, S::Error> {
            self.to.$name(value)
        }
    )*};
}

impl<'a, S: Serializer> Serializer for GuardedSerializer<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = GuardedSerializer<'a, S::SerializeSeq>;
    type SerializeTuple = GuardedSerializer<'a, S::SerializeTuple>;
    type SerializeTupleStruct = GuardedSerializer<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = GuardedSerializer<'a, S::SerializeTupleVariant>;
    type SerializeMap = GuardedSerializer<'a, S::SerializeMap>;
    type SerializeStruct = GuardedSerializer<'a, S::SerializeStruct>;
    type SerializeStructVariant = GuardedSerializer<'a, S::SerializeStructVariant>;

    plain! {
        serialize_bool bool;
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_i128 i128;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
        serialize_u64 u64;
        serialize_u128 u128;
        serialize_char char;
        serialize_str &str;
        serialize_bytes &[u8];
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.guard.float(value.is_finite())?;
        self.to.serialize_f32(value)
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        self.guard.float(value.is_finite())?;
        self.to.serialize_f64(value)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.guard.unit(self.is_some)?;
        self.to.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.to.serialize_some(&GuardedValue { value, guard: self.guard, is_some: true })
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.guard.unit(self.is_some)?;
        self.to.serialize_unit()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        // MessagePack writes these in another form than a `None`.
        self.guard.unit(self.is_some && self.guard.codec == Codec::Json)?;
        self.to.serialize_unit_struct(name)
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.to.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        self.to.serialize_newtype_struct(name, &GuardedValue { value, guard: self.guard, is_some: self.is_some })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let guard = self.guard;
        let written = self.to.serialize_newtype_variant(name, index, variant, &guard.guarded(value));
        written.inspect_err(|_| guard.at(variant))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        GuardedSerializer::<S>::part(self.to.serialize_seq(len), self.guard)
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        GuardedSerializer::<S>::part(self.to.serialize_tuple(len), self.guard)
    }

    fn serialize_tuple_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        GuardedSerializer::<S>::part(self.to.serialize_tuple_struct(name, len), self.guard)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        GuardedSerializer::<S>::part(self.to.serialize_tuple_variant(name, index, variant, len), self.guard)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        GuardedSerializer::<S>::part(self.to.serialize_map(len), self.guard)
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        GuardedSerializer::<S>::part(self.to.serialize_struct(name, len), self.guard)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        GuardedSerializer::<S>::part(self.to.serialize_struct_variant(name, index, variant, len), self.guard)
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.to.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.to.is_human_readable()
    }
}

macro_rules! items {
    ($($of:ident $method:ident;)*) => {$(
        impl<S: ser::$of> ser::$of for GuardedSerializer<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                self.to.$method(&self.guard.guarded(value))
            }

            #[inline]
            fn end(self) -> Result<S::Ok, S::Error> {
                self.to.end()
            }
        }
    )*};
}

items! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

macro_rules! fields {
    ($($of:ident)*) => {$(
        impl<S: ser::$of> ser::$of for GuardedSerializer<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), S::Error> {
                let guard = self.guard;
                self.to.serialize_field(name, &guard.guarded(value)).inspect_err(|_| guard.at(name))
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), S::Error> {
                if self.guard.codec == Codec::Postcard {
                    self.guard.at(name);
                    return Err(self.guard.refuse(Cause::LeftOut));
                }
                self.to.skip_field(name)
            }

            #[inline]
            fn end(self) -> Result<S::Ok, S::Error> {
                self.to.end()
            }
        }
    )*};
}

fields! { SerializeStruct SerializeStructVariant }

impl<S: ser::SerializeMap> ser::SerializeMap for GuardedSerializer<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        self.to.serialize_key(&self.guard.guarded(key))
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.to.serialize_value(&self.guard.guarded(value))
    }

    #[inline]
    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), S::Error> {
        self.to.serialize_entry(&self.guard.guarded(key), &self.guard.guarded(value))
    }

    #[inline]
    fn end(self) -> Result<S::Ok, S::Error> {
        self.to.end()
    }
}
