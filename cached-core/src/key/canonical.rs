//! Writes what a value's `Serialize` writes as one text, for `<name:serde>`.
//!
//! The form is JSON with sorted map entries and no white space, except where JSON writes different values alike: `None`
//! and `()`, `None` and `NaN`, `None` and `Some(None)`, `1.0` and `1`. So `Some(x)` is `?x`, the unit is `()`, and
//! floats are written by Rust's `{:?}`. The names of structs and variants stand in front, as in `"Scope"::"One"[1]`,
//! because two variants with the same content are different values, and so are a variant and a map with one entry.
//!
//! Values that `Serialize` itself writes alike cannot be told apart, such as values that differ in a field with
//! `#[serde(skip)]`, or two variants of an enum with `#[serde(untagged)]`.

use serde::ser::{self, Serialize, Serializer};
use std::fmt::{self, Display, Write as _};

/// Writes `value` in its canonical form.
///
/// # Errors
/// When the value's own `Serialize` fails.
pub(crate) fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    let mut out = String::new();
    value.serialize(Canonical { out: &mut out })?;
    Ok(out)
}

#[derive(Debug)]
pub(crate) struct Error;

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value's own Serialize failed")
    }
}

impl std::error::Error for Error {}

impl ser::Error for Error {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

struct Canonical<'a> {
    out: &'a mut String,
}

impl Canonical<'_> {
    fn text(self, text: &str) -> Result<(), Error> {
        self.out.push_str(&serde_json::to_string(text).map_err(|_| Error)?);
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "what serde's methods return")]
    fn display(self, value: impl Display) -> Result<(), Error> {
        let _ = write!(self.out, "{value}");
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "what serde's methods return")]
    fn float(self, value: impl fmt::Debug) -> Result<(), Error> {
        let _ = write!(self.out, "{value:?}");
        Ok(())
    }

    /// `"Name"`, `"Enum"::"Variant"`
    fn name(&mut self, name: Name) {
        let _ = match name {
            Name::None => Ok(()),
            Name::Struct(name) => write!(self.out, "{name:?}"),
            Name::Variant(name, variant) => write!(self.out, "{name:?}::{variant:?}"),
        };
    }
}

/// The name that stands in front of a content.
#[derive(Clone, Copy)]
enum Name {
    None,
    Struct(&'static str),
    Variant(&'static str, &'static str),
}

#[expect(clippy::unnecessary_wraps, reason = "what serde's methods return")]
impl<'a> Canonical<'a> {
    fn list(mut self, name: Name) -> Result<List<'a>, Error> {
        self.name(name);
        self.out.push('[');
        Ok(List { out: self.out, first: true })
    }

    fn map(mut self, name: Name) -> Result<Map<'a>, Error> {
        self.name(name);
        Ok(Map { out: self.out, entries: Vec::new() })
    }

    fn newtype<T: Serialize + ?Sized>(mut self, name: Name, value: &T) -> Result<(), Error> {
        self.name(name);
        self.out.push('(');
        value.serialize(Canonical { out: &mut *self.out })?;
        self.out.push(')');
        Ok(())
    }

    fn nothing(mut self, name: Name) -> Result<(), Error> {
        self.name(name);
        self.out.push_str("()");
        Ok(())
    }
}

macro_rules! by {
    ($how:ident: $($name:ident($ty:ty))*) => {$(
        fn $name(self, value: $ty) -> Result<(), Error> {
            self.$how(value)
        }
    )*};
}

impl<'a> Serializer for Canonical<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = List<'a>;
    type SerializeTuple = List<'a>;
    type SerializeTupleStruct = List<'a>;
    type SerializeTupleVariant = List<'a>;
    type SerializeMap = Map<'a>;
    type SerializeStruct = Map<'a>;
    type SerializeStructVariant = Map<'a>;

    by! { display: serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
    serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128) }
    by! { text: serialize_str(&str) }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        // `0.0` and `-0.0` are equal, so they are written alike.
        self.float(if value == 0.0 { 0.0 } else { value })
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.float(if value == 0.0 { 0.0 } else { value })
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.display("null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.out.push('?');
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.nothing(Name::None)
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<(), Error> {
        self.nothing(Name::Struct(name))
    }

    fn serialize_unit_variant(self, name: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.nothing(Name::Variant(name, variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), Error> {
        self.newtype(Name::Struct(name), value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.newtype(Name::Variant(name, variant), value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'a>, Error> {
        self.list(Name::None)
    }

    fn serialize_tuple(self, _: usize) -> Result<List<'a>, Error> {
        self.list(Name::None)
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<List<'a>, Error> {
        self.list(Name::Struct(name))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List<'a>, Error> {
        self.list(Name::Variant(name, variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Map<'a>, Error> {
        self.map(Name::None)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Map<'a>, Error> {
        self.map(Name::Struct(name))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Map<'a>, Error> {
        self.map(Name::Variant(name, variant))
    }
}

pub(super) struct List<'a> {
    out: &'a mut String,
    first: bool,
}

impl List<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
        value.serialize(Canonical { out: self.out })
    }

    fn close(self) {
        self.out.push(']');
    }
}

macro_rules! list {
    ($($trait:ident::$item:ident)*) => {$(
        impl ser::$trait for List<'_> {
            type Ok = ();
            type Error = Error;

            fn $item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.item(value)
            }

            fn end(self) -> Result<(), Error> {
                self.close();
                Ok(())
            }
        }
    )*};
}
list! { SerializeSeq::serialize_element SerializeTuple::serialize_element SerializeTupleStruct::serialize_field SerializeTupleVariant::serialize_field }

/// Collects the entries and sorts them at the end, so that the order of a `HashMap` does not matter.
pub(super) struct Map<'a> {
    out: &'a mut String,
    entries: Vec<(String, String)>,
}

impl Map<'_> {
    fn close(mut self) {
        self.entries.sort_unstable();
        self.out.push('{');
        for (i, (key, value)) in self.entries.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            let _ = write!(self.out, "{comma}{key}:{value}");
        }
        self.out.push('}');
    }
}

impl ser::SerializeMap for Map<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.entries.push((to_string(key)?, String::new()));
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let entry = self.entries.last_mut().ok_or(Error)?;
        entry.1 = to_string(value)?;
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

macro_rules! fields {
    ($($trait:ident)*) => {$(
        impl ser::$trait for Map<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
                self.entries.push((to_string(key)?, to_string(value)?));
                Ok(())
            }

            fn end(self) -> Result<(), Error> {
                self.close();
                Ok(())
            }
        }
    )*};
}
fields! { SerializeStruct SerializeStructVariant }

#[cfg(test)]
mod tests {
    use super::to_string;
    use serde::{Serialize, Serializer};
    use std::collections::HashMap;

    #[derive(Serialize)]
    enum Query {
        All,
        By { field: String, limit: Option<u8> },
        Pair(u8, f64),
    }

    #[test]
    fn values_are_written_like_json() {
        let by = Query::By { field: "na\"me".into(), limit: Some(3) };
        assert_eq!(
            to_string(&(Query::All, by, Query::Pair(1, 2.0), "x", ())).unwrap(),
            r#"["Query"::"All"(),"Query"::"By"{"field":"na\"me","limit":?3},"Query"::"Pair"[1,2.0],"x",()]"#
        );
    }

    struct Bytes(&'static [u8]);

    impl Serialize for Bytes {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(self.0)
        }
    }

    #[derive(Serialize)]
    struct Unit;
    #[derive(Serialize)]
    struct Newtype(u8);
    #[derive(Serialize)]
    struct Pair(bool, char);
    #[derive(Serialize)]
    struct Record {
        b: (),
        a: Vec<i8>,
    }
    #[derive(Serialize)]
    enum Choice {
        Newtype(Option<u8>),
        Record { b: u8, a: u8 },
    }

    #[test]
    fn every_kind_of_value_is_written() {
        assert_eq!(to_string(&'"').unwrap(), r#""\"""#);
        assert_eq!(to_string(&Bytes(&[1, 255])).unwrap(), "[1,255]");
        assert_eq!(to_string(&Unit).unwrap(), r#""Unit"()"#);
        assert_eq!(to_string(&Newtype(7)).unwrap(), r#""Newtype"(7)"#);
        assert_eq!(to_string(&Pair(true, 'x')).unwrap(), r#""Pair"[true,"x"]"#);
        assert_eq!(to_string(&Record { b: (), a: vec![-1, 2] }).unwrap(), r#""Record"{"a":[-1,2],"b":()}"#);
        assert_eq!(to_string(&Choice::Newtype(None)).unwrap(), r#""Choice"::"Newtype"(null)"#);
        assert_eq!(to_string(&Choice::Record { b: 1, a: 2 }).unwrap(), r#""Choice"::"Record"{"a":2,"b":1}"#);
        assert_eq!(to_string(&[0.0, -0.0]).unwrap(), "[0.0,0.0]");
        assert_eq!(to_string(&[0.0_f32, -0.0]).unwrap(), "[0.0,0.0]");
        assert_eq!(to_string(&HashMap::from([((1, 2), 1.5)])).unwrap(), "{[1,2]:1.5}");
    }

    #[test]
    fn a_failing_serialize_is_an_error() {
        struct ValueBeforeKey;
        impl Serialize for ValueBeforeKey {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                serde::ser::SerializeMap::serialize_value(&mut map, &1)?;
                serde::ser::SerializeMap::end(map)
            }
        }
        let error = to_string(&[ValueBeforeKey]).unwrap_err();
        assert_eq!(error.to_string(), "the value's own Serialize failed");
    }

    #[test]
    fn maps_are_sorted() {
        let map: HashMap<u32, &str> = (0..100).map(|i| (i, "v")).collect();
        let sorted: std::collections::BTreeMap<String, &str> = map.iter().map(|(k, v)| (k.to_string(), *v)).collect();
        let text = to_string(&map).unwrap();
        assert_eq!(text, to_string(&map.clone().into_iter().collect::<HashMap<_, _>>()).unwrap());
        assert_eq!(text.matches(':').count(), sorted.len());
    }

    #[test]
    fn values_that_json_writes_alike_stay_apart() {
        let texts = [
            to_string(&None::<Option<u8>>).unwrap(),
            to_string(&Some(None::<u8>)).unwrap(),
            to_string(&Some(Some(1u8))).unwrap(),
            to_string(&()).unwrap(),
            to_string(&f64::NAN).unwrap(),
            to_string(&1).unwrap(),
            to_string(&1.0).unwrap(),
            to_string(&"1").unwrap(),
            to_string(&"").unwrap(),
            to_string(&[(); 0]).unwrap(),
        ];
        for (i, a) in texts.iter().enumerate() {
            assert!(texts[i + 1..].iter().all(|b| a != b), "{a} stands for two values");
        }
    }
}
