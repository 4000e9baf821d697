//! The forms of the standard library's types. [`segment`](super::segment) lists them.
//!
//! `do_not_recommend` hides the types that hold no other value, because the compiler lists only a few types in its
//! message: these should be the ones that the user's type could be wrapped in.

use super::{KeyIdentity, KeySegment, SegmentWriter};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

macro_rules! integers {
    ($($ty:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl KeyIdentity for $ty {
            fn write(&self, out: &mut SegmentWriter<'_>) {
                out.integer(*self);
            }

            fn __word(&self) -> Option<i64> {
                Some(i64::from(*self))
            }
        }
    )*};
}
integers!(u8, u16, u32, i8, i16, i32, i64);

#[diagnostic::do_not_recommend]
impl KeyIdentity for u64 {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.integer(*self);
    }

    fn __word(&self) -> Option<i64> {
        i64::try_from(*self).ok()
    }
}

#[diagnostic::do_not_recommend]
impl KeyIdentity for i128 {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.integer(*self);
    }
}

macro_rules! nonzero {
    ($($ty:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl KeyIdentity for std::num::NonZero<$ty> {
            fn write(&self, out: &mut SegmentWriter<'_>) {
                self.get().write(out);
            }

            fn __word(&self) -> Option<i64> {
                self.get().__word()
            }
        }

        impl KeySegment for std::num::NonZero<$ty> {}
    )*};
}
nonzero!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

#[diagnostic::do_not_recommend]
impl KeyIdentity for u128 {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.unsigned(*self);
    }
}

#[diagnostic::do_not_recommend]
impl KeyIdentity for usize {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        (*self as u64).write(out);
    }

    fn __word(&self) -> Option<i64> {
        i64::try_from(*self).ok()
    }
}

#[diagnostic::do_not_recommend]
impl KeyIdentity for isize {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        (*self as i64).write(out);
    }

    fn __word(&self) -> Option<i64> {
        i64::try_from(*self).ok()
    }
}

macro_rules! floats {
    ($($ty:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl KeyIdentity for $ty {
            fn write(&self, out: &mut SegmentWriter<'_>) {
                // `0.0` and `-0.0` are equal, so they have the same form.
                out.float(if *self == 0.0 { 0.0 } else { *self });
            }
        }
    )*};
}
floats!(f32, f64);

#[diagnostic::do_not_recommend]
impl KeyIdentity for bool {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.part().push_str(if *self { "true" } else { "false" });
    }
}

#[diagnostic::do_not_recommend]
impl KeyIdentity for char {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.text(self.encode_utf8(&mut [0; 4]));
    }
}

#[diagnostic::do_not_recommend]
impl KeyIdentity for str {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.text(self);
    }
}

#[diagnostic::do_not_recommend]
impl KeyIdentity for String {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.text(self);
    }
}

impl<T: KeyIdentity> KeyIdentity for Option<T> {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        match self {
            None => out.part().push('~'),
            Some(value) => {
                let start = out.part().len();
                value.write(out);
                if out.raw()[start..].starts_with('~') {
                    out.raw().insert(start, '~');
                }
            }
        }
    }
}

impl<T: KeyIdentity> KeyIdentity for [T] {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.part();
        out.list('[', self.iter().map(|item| item as &dyn KeyIdentity), ']');
    }
}

macro_rules! transparent {
    ($([$($generics:tt)*] $ty:ty;)*) => {$(
        impl<$($generics)*> KeyIdentity for $ty {
            fn write(&self, out: &mut SegmentWriter<'_>) {
                (**self).write(out);
            }

            fn __word(&self) -> Option<i64> {
                (**self).__word()
            }
        }
    )*};
}
transparent! {
    [T: KeyIdentity + ?Sized] &T;
    [T: KeyIdentity + ?Sized] &mut T;
    [T: KeyIdentity + ?Sized] Box<T>;
    [T: KeyIdentity + ?Sized] Rc<T>;
    [T: KeyIdentity + ?Sized] Arc<T>;
    [T: KeyIdentity + ToOwned + ?Sized] Cow<'_, T>;
    [T: KeyIdentity] Vec<T>;
    [] OsString;
    [] PathBuf;
}

impl<T: KeyIdentity, const N: usize> KeyIdentity for [T; N] {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        self.as_slice().write(out);
    }
}

macro_rules! tuples {
    ($(($($name:ident),*))*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($name: KeyIdentity),*> KeyIdentity for ($($name,)*) {
            #[expect(non_snake_case, reason = "the type parameters' names double as the bindings'")]
            fn write(&self, out: &mut SegmentWriter<'_>) {
                let ($($name,)*) = self;
                out.tuple(&[$($name),*]);
            }
        }

        impl<$($name: KeySegment),*> KeySegment for ($($name,)*) {}
    )*};
}
tuples! { (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) (A, B, C, D, E, F, G) (A, B, C, D, E, F, G, H) }

impl<T: KeyIdentity> KeyIdentity for VecDeque<T> {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.part();
        out.list('[', self.iter().map(|item| item as &dyn KeyIdentity), ']');
    }
}

macro_rules! unordered {
    ($($name:literal [$($generics:tt)*] $ty:ty;)*) => {$(
        impl<$($generics)*> KeyIdentity for $ty {
            fn write(&self, out: &mut SegmentWriter<'_>) {
                out.unordered($name, self.iter());
            }
        }
    )*};
}
unordered! {
    "set" [T: KeyIdentity, S] HashSet<T, S>;
    "set" [T: KeyIdentity] BTreeSet<T>;
    "map" [K: KeyIdentity, V: KeyIdentity, S] HashMap<K, V, S>;
    "map" [K: KeyIdentity, V: KeyIdentity] BTreeMap<K, V>;
}

impl<T: ?Sized> KeyIdentity for PhantomData<T> {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.tuple(&[]);
    }
}

impl<T: KeyIdentity> KeyIdentity for Range<T> {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.tuple(&[&self.start, &self.end]);
    }
}

impl<T: KeyIdentity + PartialOrd> KeyIdentity for RangeInclusive<T> {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        // A range that was iterated to its end may still have its old bounds.
        out.tuple(&[self.start(), self.end(), &self.is_empty()]);
    }
}

#[diagnostic::do_not_recommend]
impl KeyIdentity for Duration {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.tuple(&[&self.as_secs(), &self.subsec_nanos()]);
    }
}

#[diagnostic::do_not_recommend]
impl KeyIdentity for SystemTime {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        match self.duration_since(Self::UNIX_EPOCH) {
            Ok(since) => since.write(out),
            Err(before) => out.variant("before", &[&before.duration()]),
        }
    }
}

macro_rules! addresses {
    ($($ty:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl KeyIdentity for $ty {
            fn write(&self, out: &mut SegmentWriter<'_>) {
                out.text(&self.to_string());
            }
        }
    )*};
}
addresses!(IpAddr, Ipv4Addr, Ipv6Addr);

#[diagnostic::do_not_recommend]
impl KeyIdentity for () {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.tuple(&[]);
    }
}

#[diagnostic::do_not_recommend]
impl KeyIdentity for OsStr {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        // The bytes of a text are UTF-8, so equal contents have the form of the text. Only what is no Unicode may be
        // encoded in another way by another version of Rust, and then its entries are loaded again.
        out.bytes(self.as_encoded_bytes());
    }
}

/// Two paths are one value if they have the same components: `a//b/./c/` is `a/b/c`, but `./a` is not `a`. The file
/// system is not asked, so a link is not what it points at.
#[diagnostic::do_not_recommend]
impl KeyIdentity for Path {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        // On Windows, paths that differ only in the case of the drive's letter are equal and yet have two forms.
        self.components().collect::<PathBuf>().as_os_str().write(out);
    }
}

macro_rules! segments {
    ($([$($generics:tt)*] $ty:ty;)*) => {$(
        impl<$($generics)*> KeySegment for $ty {}
    )*};
}
// All of the above except floats.
segments! {
    [] u8; [] u16; [] u32; [] u64; [] u128; [] usize; [] i8; [] i16; [] i32; [] i64; [] i128; [] isize;
    [] bool; [] char; [] str; [] String; [] ();
    [] Duration; [] SystemTime; [] IpAddr; [] Ipv4Addr; [] Ipv6Addr; [] OsStr; [] OsString; [] Path; [] PathBuf;
    [T: KeySegment + ?Sized] &T;
    [T: KeySegment + ?Sized] &mut T;
    [T: KeySegment + ?Sized] Box<T>;
    [T: KeySegment + ?Sized] Rc<T>;
    [T: KeySegment + ?Sized] Arc<T>;
    [T: KeySegment + ToOwned + ?Sized] Cow<'_, T>;
    [T: KeySegment] Option<T>;
    [T: KeySegment] [T];
    [T: KeySegment, const N: usize] [T; N];
    [T: KeySegment] Vec<T>;
    [T: KeySegment] VecDeque<T>;
    [T: KeySegment, S] HashSet<T, S>;
    [T: KeySegment] BTreeSet<T>;
    [K: KeySegment, V: KeySegment, S] HashMap<K, V, S>;
    [K: KeySegment, V: KeySegment] BTreeMap<K, V>;
    [T: KeySegment] Range<T>;
    [T: KeySegment + PartialOrd] RangeInclusive<T>;
    [T: ?Sized] PhantomData<T>;
}

#[cfg(test)]
mod tests;
