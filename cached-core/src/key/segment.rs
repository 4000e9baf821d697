//! How each type is written into a key.
//!
//! The forms are chosen so that keys stay readable in `redis-cli` and no two values of different kinds look alike:
//!
//! | value | form | why it cannot be mistaken |
//! |---|---|---|
//! | integer | `42`, `-7` | text of only digits is marked: `'42` |
//! | bool | `true` | the text "true" is marked: `'true` |
//! | text, char | as it is, escaped | empty text is `'`; text that begins with `'`, `~`, `#` or `@` is marked |
//! | `None` | `~` | |
//! | `Some(x)` | as `x` | `Some(None)` gains a `~`: `~~` |
//! | tuple, struct | `(a,b)` | parentheses and commas in text are escaped |
//! | slice | `[a,b]` | likewise |
//! | enum variant | `Name(a,b)` | likewise; without fields it is the text of its name, so that the two can be mixed |

use std::borrow::Cow;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

/// A value that can be a segment of a key.
///
/// Implemented for integers, `bool`, `char`, strings, `Option`, tuples, slices, references and (feature `uuid`) `Uuid`;
/// `#[derive(CacheKey)]` adds structs and enums. Floats are left out on purpose: `0.1 + 0.2` and `0.3` would be two
/// entries, and `NaN` is not even equal to itself.
///
/// ```
/// use cached_core::{KeySegment, SegmentWriter};
///
/// struct Sku(String);
///
/// impl KeySegment for Sku {
///     fn write(&self, out: &mut SegmentWriter<'_>) {
///         self.0.to_uppercase().write(out);
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a segment of a cache key",
    label = "not usable in a key",
    note = "integers, `bool`, `char`, strings, `Uuid` (feature `uuid`), `Option`, tuples and slices of these can",
    note = "for your own type write `#[derive(CacheKey)]`; for any `Serialize` type write `<name:hash>` in the template",
    note = "floats cannot: round to an integer first, or use `<name:hash>`"
)]
pub trait KeySegment {
    /// Writes `self` in a form that no other value of any kind has, by the writer's methods or by the `write` of other
    /// values. Several in a row are kept apart by commas; an empty one has no form of its own, so call at least one.
    fn write(&self, out: &mut SegmentWriter<'_>);

    /// The value, if it is an integer that is written as one: what the near cache looks up instead of the text.
    #[doc(hidden)]
    fn __word(&self) -> Option<i64> {
        None
    }
}

/// Takes the parts of a segment and escapes them; what [`KeySegment::write`] writes to.
///
/// ```
/// use cached_core::{KeySegment, SegmentWriter};
///
/// struct Page { from: u64, to: u64 }
///
/// impl KeySegment for Page {
///     fn write(&self, out: &mut SegmentWriter<'_>) {
///         out.tuple(&[&self.from, &self.to]); // `(1,20)`
///     }
/// }
/// ```
#[derive(Debug)]
pub struct SegmentWriter<'a> {
    out: &'a mut String,
    /// Where the next part begins if nothing stands in front of it.
    start: usize,
    failed: &'a mut bool,
}

impl<'a> SegmentWriter<'a> {
    pub(super) fn new(out: &'a mut String, failed: &'a mut bool) -> Self {
        Self { start: out.len(), out, failed }
    }

    /// Begins a part, apart from one in front of it: else `1` and `23` would read like `12` and `3`.
    pub(super) fn part(&mut self) -> &mut String {
        if self.out.len() > self.start {
            self.out.push(',');
        }
        self.start = self.out.len();
        self.out
    }

    /// Writes an integer: digits, with a `-` in front of a negative one.
    ///
    /// ```
    /// # use cached_core::{KeySegment, SegmentWriter};
    /// struct Cents(i64);
    ///
    /// impl KeySegment for Cents {
    ///     fn write(&self, out: &mut SegmentWriter<'_>) {
    ///         out.integer(self.0);
    ///     }
    /// }
    /// ```
    pub fn integer(&mut self, value: impl Into<i128>) {
        let value = value.into();
        // Most fit, and 128 bits take twice the time.
        match i64::try_from(value) {
            Ok(short) => self.part().push_str(itoa::Buffer::new().format(short)),
            Err(_) => self.part().push_str(itoa::Buffer::new().format(value)),
        }
    }

    fn unsigned(&mut self, value: u128) {
        self.part().push_str(itoa::Buffer::new().format(value));
    }

    /// Writes text: escaped, and marked where it would look like something else.
    ///
    /// ```
    /// # use cached_core::{KeySegment, SegmentWriter};
    /// struct Locale { language: &'static str }
    ///
    /// impl KeySegment for Locale {
    ///     fn write(&self, out: &mut SegmentWriter<'_>) {
    ///         out.text(self.language);
    ///     }
    /// }
    /// ```
    pub fn text(&mut self, text: &str) {
        self.part();
        if needs_mark(text) {
            self.out.push('\'');
        }
        for c in text.chars() {
            match c {
                '%' | ':' | '{' | '}' | '(' | ')' | '[' | ']' | ',' | '\0'..='\x1f' | '\x7f' => {
                    let _ = write!(self.out, "%{:02X}", u32::from(c));
                }
                _ => self.out.push(c),
            }
        }
    }

    /// Writes several values as one: `(a,b)`.
    ///
    /// ```
    /// # use cached_core::{KeySegment, SegmentWriter};
    /// struct Point { x: i32, y: i32 }
    ///
    /// impl KeySegment for Point {
    ///     fn write(&self, out: &mut SegmentWriter<'_>) {
    ///         out.tuple(&[&self.x, &self.y]);
    ///     }
    /// }
    /// ```
    pub fn tuple(&mut self, items: &[&dyn KeySegment]) {
        self.part();
        self.list('(', items.iter().copied(), ')');
    }

    /// Writes a variant of an enum: `Name`, or `Name(a,b)` if it has fields.
    ///
    /// ```
    /// # use cached_core::{KeySegment, SegmentWriter};
    /// enum Scope { All, Of(u64) }
    ///
    /// impl KeySegment for Scope {
    ///     fn write(&self, out: &mut SegmentWriter<'_>) {
    ///         match self {
    ///             Self::All => out.variant("All", &[]),
    ///             Self::Of(id) => out.variant("Of", &[id]),
    ///         }
    ///     }
    /// }
    /// ```
    pub fn variant(&mut self, name: &str, fields: &[&dyn KeySegment]) {
        self.text(name);
        if !fields.is_empty() {
            self.list('(', fields.iter().copied(), ')');
        }
    }

    fn list<'s>(&mut self, open: char, items: impl Iterator<Item = &'s dyn KeySegment>, close: char) {
        self.out.push(open);
        for (i, item) in items.enumerate() {
            if i > 0 {
                self.out.push(',');
            }
            self.start = self.out.len();
            item.write(self);
        }
        self.out.push(close);
    }

    /// Text that is already in its final form and cannot collide with another kind.
    pub(super) fn raw(&mut self) -> &mut String {
        self.out
    }

    /// The value has no form: the call runs without the cache, which is counted.
    pub(super) fn fail(&mut self) {
        *self.failed = true;
    }
}

fn needs_mark(text: &str) -> bool {
    match text.as_bytes() {
        [] | [b'\'' | b'~' | b'#' | b'@', ..] | b"true" | b"false" => true,
        [b'-', digits @ ..] | digits => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
    }
}

macro_rules! integers {
    ($($ty:ty),*) => {$(
        impl KeySegment for $ty {
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

impl KeySegment for u64 {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.integer(*self);
    }

    fn __word(&self) -> Option<i64> {
        i64::try_from(*self).ok()
    }
}

impl KeySegment for i128 {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.integer(*self);
    }
}

macro_rules! nonzero {
    ($($ty:ty),*) => {$(
        impl KeySegment for std::num::NonZero<$ty> {
            fn write(&self, out: &mut SegmentWriter<'_>) {
                self.get().write(out);
            }

            fn __word(&self) -> Option<i64> {
                self.get().__word()
            }
        }
    )*};
}
nonzero!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

impl KeySegment for u128 {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.unsigned(*self);
    }
}

impl KeySegment for usize {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        (*self as u64).write(out);
    }

    fn __word(&self) -> Option<i64> {
        i64::try_from(*self).ok()
    }
}

impl KeySegment for isize {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        (*self as i64).write(out);
    }

    fn __word(&self) -> Option<i64> {
        i64::try_from(*self).ok()
    }
}

impl KeySegment for bool {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.part().push_str(if *self { "true" } else { "false" });
    }
}

impl KeySegment for char {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.text(self.encode_utf8(&mut [0; 4]));
    }
}

impl KeySegment for str {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.text(self);
    }
}

impl KeySegment for String {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.text(self);
    }
}

impl<T: KeySegment> KeySegment for Option<T> {
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

impl<T: KeySegment> KeySegment for [T] {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.part();
        out.list('[', self.iter().map(|item| item as &dyn KeySegment), ']');
    }
}

macro_rules! transparent {
    ($([$($generics:tt)*] $ty:ty;)*) => {$(
        impl<$($generics)*> KeySegment for $ty {
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
    [T: KeySegment + ?Sized] &T;
    [T: KeySegment + ?Sized] &mut T;
    [T: KeySegment + ?Sized] Box<T>;
    [T: KeySegment + ?Sized] Rc<T>;
    [T: KeySegment + ?Sized] Arc<T>;
    [T: KeySegment + ToOwned + ?Sized] Cow<'_, T>;
    [T: KeySegment] Vec<T>;
}

impl<T: KeySegment, const N: usize> KeySegment for [T; N] {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        self.as_slice().write(out);
    }
}

macro_rules! tuples {
    ($(($($name:ident),*))*) => {$(
        impl<$($name: KeySegment),*> KeySegment for ($($name,)*) {
            #[expect(non_snake_case, reason = "the type parameters' names double as the bindings'")]
            fn write(&self, out: &mut SegmentWriter<'_>) {
                let ($($name,)*) = self;
                out.tuple(&[$($name),*]);
            }
        }
    )*};
}
tuples! { (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) (A, B, C, D, E, F, G) (A, B, C, D, E, F, G, H) }

impl KeySegment for () {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.tuple(&[]);
    }
}

#[cfg(feature = "uuid")]
impl KeySegment for uuid::Uuid {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.part().push_str(self.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()));
    }
}

#[cfg(test)]
mod tests;
