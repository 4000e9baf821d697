//! Checks whether a value comes back unchanged from its codec.
//!
//! Some values do not: a field that serde skips comes back as its default, and an untagged enum as the first variant
//! that fits. The type's `PartialEq` decides whether a value is unchanged. Without one, its `Debug` text and the bytes
//! that it encodes to again decide.

use crate::codec::Codec;
use crate::outcome::{CacheValue, Shape};
use crate::user_code::caught;
use std::fmt::{self, Debug};
use std::marker::PhantomData;

/// A value that comes back as another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The name nearest to the first difference, if one can be found.
    pub(crate) near: Option<String>,
}

/// Checks a value against its own bytes.
pub(crate) type Check<T> = fn(&T, Codec, &[u8]) -> Result<(), Difference>;

/// The ways to compare values of one type.
struct Means<T> {
    equal: Option<fn(&T, &T) -> bool>,
    shown: Option<fn(&T) -> String>,
}

/// The check for a type that is neither `PartialEq` nor `Debug`.
pub(crate) fn by_bytes<T: CacheValue>(value: &T, codec: Codec, bytes: &[u8]) -> Result<(), Difference> {
    check(value, codec, bytes, &Means { equal: None, shown: None })
}

fn by_debug<T: CacheValue + Debug>(value: &T, codec: Codec, bytes: &[u8]) -> Result<(), Difference> {
    check(value, codec, bytes, &Means { equal: None, shown: Some(shown) })
}

fn by_eq<T: CacheValue + PartialEq>(value: &T, codec: Codec, bytes: &[u8]) -> Result<(), Difference> {
    check(value, codec, bytes, &Means { equal: Some(T::eq), shown: None })
}

/// The check for a type that is both `PartialEq` and `Debug`.
pub(crate) fn by_eq_and_debug<T: CacheValue + PartialEq + Debug>(
    value: &T,
    codec: Codec,
    bytes: &[u8],
) -> Result<(), Difference> {
    check(value, codec, bytes, &Means { equal: Some(T::eq), shown: Some(shown) })
}

fn shown<T: Debug>(value: &T) -> String {
    format!("{value:#?}")
}

/// A value that cannot be read back at all is no difference: it is a miss, which is reported by the call that reads it.
fn check<T: CacheValue>(value: &T, codec: Codec, bytes: &[u8], means: &Means<T>) -> Result<(), Difference> {
    let read = || caught(|| codec.decode::<T>(bytes)).ok()?.ok();
    let Some(back) = read() else { return Ok(()) };
    if let Some(equal) = means.equal {
        let are_equal = |one: &T, other: &T| caught(|| equal(one, other)).unwrap_or(false);
        if are_equal(value, &back) {
            return Ok(());
        }
        // A value with a NaN is not equal to itself, so `==` decides nothing then.
        if read().is_some_and(|again| are_equal(&back, &again)) {
            return Err(Difference { near: first_name(value, &back, means) });
        }
    }
    let is_shown_alike = means.shown.is_none_or(|shown| {
        let text = |value: &T| caught(|| shown(value)).unwrap_or_default();
        // A text with an address or the like differs each time, so it decides nothing.
        is_alike(text(value).as_bytes(), text(&back).as_bytes())
            || read().is_none_or(|again| !is_alike(text(&back).as_bytes(), text(&again).as_bytes()))
    });
    if is_shown_alike && is_written_alike(&back, codec, bytes) {
        return Ok(());
    }
    Err(Difference { near: first_name(value, &back, means) })
}

fn is_written_alike<T: CacheValue>(back: &T, codec: Codec, bytes: &[u8]) -> bool {
    let mut again = Vec::with_capacity(bytes.len());
    caught(|| codec.encode(back, &mut again)).is_ok_and(|written| written.is_ok()) && is_alike(bytes, &again)
}

/// Whether both consist of the same bytes, in any order, because the order of a `HashMap` is never the same.
fn is_alike(one: &[u8], other: &[u8]) -> bool {
    let counts = |bytes: &[u8]| {
        let mut counts = [0usize; 256];
        for byte in bytes {
            counts[usize::from(*byte)] += 1;
        }
        counts
    };
    one == other || (one.len() == other.len() && counts(one) == counts(other))
}

/// The name of a field or variant in the first line that differs. Values are never shown.
fn first_name<T>(value: &T, back: &T, means: &Means<T>) -> Option<String> {
    let shown = means.shown?;
    let (value, back) = caught(|| (shown(value), shown(back))).ok()?;
    let line = value.lines().zip(back.lines()).find(|(one, other)| one != other)?.0.trim_start();
    let name: String = line.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty() && !name.starts_with(|c: char| c.is_numeric())).then_some(name)
}

/// Stands for the values of a shape while the compiler chooses the best way to compare them, by autoref specialisation
/// as in `outcome`.
pub struct Compared<S>(PhantomData<fn() -> S>);

impl<S> Compared<S> {
    /// The values of this shape.
    #[must_use]
    pub fn of(_: S) -> Self {
        Self(PhantomData)
    }
}

impl<S> fmt::Debug for Compared<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Compared")
    }
}

/// How values are compared with those that come back from the codec; if `None`, by their bytes.
pub struct Comparison<T>(Option<Check<T>>);

impl<T> Comparison<T> {
    pub(crate) fn check(self) -> Option<Check<T>> {
        self.0
    }
}

impl<T> fmt::Debug for Comparison<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Comparison")
    }
}

macro_rules! compared {
    ($($(#[$doc:meta])* $name:ident: [$($bound:ident)+] on $depth:ty => $check:ident;)*) => {$(
        $(#[$doc])*
        pub trait $name<T> {
            /// The best way to compare them.
            fn __cached_core_compared(&self) -> Comparison<T>;
        }

        impl<S: Shape<Item: $($bound +)+>> $name<S::Item> for $depth {
            fn __cached_core_compared(&self) -> Comparison<S::Item> {
                Comparison(Some($check::<S::Item>))
            }
        }
    )*};
}

compared! {
    /// Tried first.
    ComparedByBoth: [PartialEq Debug] on &&&Compared<S> => by_eq_and_debug;
    /// Tried next.
    ComparedByEq: [PartialEq] on &&Compared<S> => by_eq;
    /// Tried next.
    ComparedByDebug: [Debug] on &Compared<S> => by_debug;
}

/// Tried last. Also fits values that cannot be cached, which another error says.
pub trait ComparedByBytes {
    /// Compares by bytes, because there is no better way.
    fn __cached_core_compared<T>(&self) -> Comparison<T>;
}

impl<S> ComparedByBytes for Compared<S> {
    fn __cached_core_compared<T>(&self) -> Comparison<T> {
        Comparison(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};
    use std::collections::{HashMap, HashSet};

    fn compare<T: CacheValue>(check: Check<T>, codec: Codec, value: &T) -> Result<(), Option<String>> {
        if codec.missing_feature().is_some() {
            return Ok(());
        }
        let mut bytes = Vec::new();
        codec.encode(value, &mut bytes).unwrap();
        check(value, codec, &bytes).map_err(|difference| difference.near)
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Account {
        id: u64,
        #[serde(skip)]
        password_hash: String,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Owner {
        User { id: u64 },
        Team { id: u64 },
    }

    #[test]
    fn a_skipped_field_is_found_and_named() {
        let account = Account { id: 1, password_hash: "secret".into() };
        let near = Err(Some("password_hash".to_owned()));
        assert_eq!(compare(by_eq_and_debug, Codec::Json, &account), near);
        assert_eq!(compare(by_debug, Codec::Json, &account), near);
        assert_eq!(compare(by_eq, Codec::Json, &account), Err(None));
        let nothing_lost = Account { id: 1, password_hash: String::new() };
        assert_eq!(compare(by_eq_and_debug, Codec::Json, &nothing_lost), Ok(()));
    }

    #[test]
    fn an_untagged_enum_that_comes_back_as_an_earlier_variant_is_found() {
        let teams = vec![Owner::User { id: 1 }, Owner::Team { id: 2 }];
        assert_eq!(compare(by_eq_and_debug, Codec::Json, &teams), Err(Some("Team".into())));
        assert_eq!(compare(by_debug, Codec::Json, &teams), Err(Some("Team".into())));
        assert_eq!(compare(by_debug, Codec::Json, &vec![Owner::User { id: 1 }]), Ok(()));
    }

    #[test]
    fn without_eq_and_debug_the_bytes_written_again_show_a_difference() {
        #[derive(Serialize, Deserialize)]
        #[serde(from = "f64", into = "f64")]
        #[derive(Clone)]
        struct Cents(u8);
        impl From<f64> for Cents {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the fault that is to be found"
            )]
            fn from(value: f64) -> Self {
                Self(value as u8)
            }
        }
        impl From<Cents> for f64 {
            fn from(cents: Cents) -> Self {
                Self::from(cents.0) * 100.0
            }
        }
        assert_eq!(compare(by_bytes, Codec::Json, &Cents(7)), Err(None));
        assert_eq!(compare(by_bytes, Codec::Json, &Cents(0)), Ok(()));
    }

    #[test]
    fn a_nan_and_a_map_without_an_order_are_not_reported() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Sample {
            value: f64,
            names: HashMap<String, HashSet<u32>>,
        }
        let names = (0..9).map(|n| (n.to_string(), (0..20).collect())).collect();
        let sample = Sample { value: f64::NAN, names };
        for codec in [Codec::MessagePack, Codec::Postcard] {
            assert_eq!(compare(by_eq_and_debug, codec, &sample), Ok(()), "{codec}");
            assert_eq!(compare(by_eq, codec, &sample), Ok(()), "{codec}");
            assert_eq!(compare(by_debug, codec, &sample), Ok(()), "{codec}");
            assert_eq!(compare(by_bytes, codec, &sample), Ok(()), "{codec}");
        }
    }

    #[test]
    fn a_nan_does_not_hide_another_difference() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Sample {
            value: f64,
            #[serde(skip)]
            unit: String,
        }
        let sample = Sample { value: f64::NAN, unit: "m".into() };
        for codec in [Codec::MessagePack, Codec::Postcard] {
            if codec.missing_feature().is_none() {
                assert_eq!(compare(by_eq_and_debug, codec, &sample), Err(Some("unit".into())), "{codec}");
            }
        }
    }

    #[test]
    fn what_partial_eq_ignores_may_differ() {
        #[derive(Debug, Serialize, Deserialize)]
        #[expect(dead_code, reason = "only written")]
        struct Page {
            text: String,
            #[serde(skip)]
            rendered: Option<String>,
        }
        impl PartialEq for Page {
            fn eq(&self, other: &Self) -> bool {
                self.text == other.text
            }
        }
        let page = Page { text: "a".into(), rendered: Some("<p>a</p>".into()) };
        assert_eq!(compare(by_eq_and_debug, Codec::Json, &page), Ok(()));
    }

    #[test]
    fn a_debug_text_with_addresses_is_not_reported() {
        #[derive(Serialize, Deserialize)]
        struct Boxed(Box<u64>);
        impl Debug for Boxed {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:p}", &raw const *self.0)
            }
        }
        assert_eq!(compare(by_debug, Codec::Json, &Boxed(Box::new(1))), Ok(()));
    }

    #[test]
    fn code_that_panics_reports_no_difference() {
        #[derive(Serialize, Deserialize)]
        struct Grumpy(u8);
        impl Debug for Grumpy {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("not to be shown")
            }
        }
        impl PartialEq for Grumpy {
            fn eq(&self, _: &Self) -> bool {
                panic!("not to be compared")
            }
        }
        assert_eq!(compare(by_eq_and_debug, Codec::Json, &Grumpy(1)), Ok(()));
    }
}
