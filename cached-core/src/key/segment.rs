//! The forms in which values are written into a key.
//!
//! Keys stay readable in `redis-cli`, and values of different kinds never look alike:
//!
//! | value | form | why it cannot be mistaken |
//! |---|---|---|
//! | integer | `42`, `-7` | text of only digits is marked: `'42` |
//! | bool | `true` | the text "true" is marked: `'true` |
//! | text, char, path | as it is, escaped | empty text is `'`; text that begins with `'`, `~`, `#` or `@` is marked |
//! | `None` | `~` | |
//! | `Some(x)` | as `x` | `Some(None)` gains a `~`: `~~` |
//! | tuple, struct | `(a,b)` | parentheses and commas in text are escaped |
//! | slice | `[a,b]` | likewise |
//! | set, map | `set[a,b]`, `map[(k,v)]`, sorted by form | likewise, and a slice has no name in front |
//! | address, `Uuid`, date, time, `Decimal` | the text that is usual for it: `2026-01-31T120000Z`, `9.5` | it has no mark, because one argument has one type |
//! | float, in a hash only | `float[1.5]` | likewise |
//! | enum variant | `Name(a,b)` | likewise; a variant without fields is the text of its name, so both can be used |
//!
//! A hash is made of the same forms, so `<name:hash>` tells apart the same values as `<name>`.

use super::push_sha256;
use std::fmt::Write as _;

/// A value that tells two calls apart: different values write different forms, and equal values write the same form.
///
/// This is all that a hash needs: `<name:hash>`, `<*>`, the default key and `#[cache_key(hash)]`. A value that stands
/// in a key as it is, `<name>`, must also be a [`KeySegment`].
///
/// Implemented for integers, floats, `bool`, `char`, strings, `Option`, tuples, slices, sets, maps, ranges, references,
/// `Duration`, `SystemTime`, IP addresses and paths. The features `uuid`, `chrono`, `time` and `rust_decimal` add types of
/// the crates with these names. `#[derive(CacheKey)]` adds structs and enums.
/// `Serialize` is not used, because it may leave fields out or write two values alike. For a type of another crate that
/// has only `Serialize`, write `<name:serde>` or `#[cache_key(serde)]` to take that as its identity.
///
/// What is equal for its type is one value:
///
/// | type | one value |
/// |---|---|
/// | floats | `0.0` and `-0.0`; all NaN |
/// | `Decimal` | `1.0` and `1.00` |
/// | `DateTime` of `chrono`, `OffsetDateTime` of `time` | the same moment in two time zones: if the answer depends on the zone as well, make its offset an argument of its own |
/// | `Path` | `a//b/./c/` and `a/b/c`, but not a link and what it points at |
///
/// ```
/// use cached_core::{KeyIdentity, KeySegment, SegmentWriter};
///
/// struct Sku(String);
///
/// impl KeyIdentity for Sku {
///     fn write(&self, out: &mut SegmentWriter<'_>) {
///         self.0.to_uppercase().write(out);
///     }
/// }
///
/// // It may also stand in a key as it is.
/// impl KeySegment for Sku {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no identity that a cache key can be made of",
    label = "two of these cannot be told apart",
    note = "for your own type write `#[derive(cached_core::CacheKey)]`",
    note = "for a type of another crate that is `Serialize` write `#[cache_key(serde)]` on the field, or `<name:serde>` in the \
            template; a `<*>` beside it stands for the other arguments",
    note = "an argument that is not part of the call's identity (a connection, a context) is left out by name: `skip(..)`; not so a \
            transaction, whose rows may be rolled back: read outside of it"
)]
pub trait KeyIdentity {
    /// Writes `self` in a form that no other value of any kind has. Call the writer's methods, or the `write` of other
    /// values; commas separate what several calls write. Call at least one, because an empty form is not unique.
    fn write(&self, out: &mut SegmentWriter<'_>);

    /// The value, if it is an integer and written as one. The near cache uses it as its key instead of the text.
    #[doc(hidden)]
    fn __word(&self) -> Option<i64> {
        None
    }
}

/// A value that can stand in a key as it is: `<name>`, and the field of an event.
///
/// Implemented for the types that have a [`KeyIdentity`], except for floats: `0.1 + 0.2` and `0.3` would be two
/// entries, and a key written by hand could hardly name one of them. Floats can be hashed. `#[derive(CacheKey)]` makes
/// a struct or an enum a segment if each of its fields is a segment or is hashed by `#[cache_key(hash)]`.
///
/// ```
/// use cached_core::{CacheKey, redis_cached};
///
/// #[derive(CacheKey)]
/// struct Page { from: u64, to: u64 }
///
/// #[derive(CacheKey)]
/// struct Filter { text: String, max_price: Option<f64> }
///
/// #[redis_cached(key = "search:<page>:<filter:hash>")] // `search:(1,20):@5d41..`
/// async fn search(page: Page, filter: &Filter) -> Vec<u64> {
///     vec![]
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a segment of a cache key",
    label = "not usable in a key",
    note = "integers, `bool`, `char`, strings, paths, `Option`, tuples, slices, sets and maps of these can; so can types of the crates \
            `uuid`, `chrono`, `time` and `rust_decimal`, each with the feature of `cached-core` that has its name",
    note = "for your own type write `#[derive(cached_core::CacheKey)]`; for a type of another crate that is `Serialize` write `<name:serde>` in \
            the template, or `#[cache_key(serde)]` on the field",
    note = "floats cannot: round to an integer first, or write `<name:hash>`, or `#[cache_key(hash)]` on the field"
)]
pub trait KeySegment: KeyIdentity {}

/// Writes and escapes the parts of a segment; [`KeyIdentity::write`] receives it.
///
/// ```
/// use cached_core::{KeyIdentity, SegmentWriter};
///
/// struct Page { from: u64, to: u64 }
///
/// impl KeyIdentity for Page {
///     fn write(&self, out: &mut SegmentWriter<'_>) {
///         out.tuple(&[&self.from, &self.to]); // `(1,20)`
///     }
/// }
/// ```
#[derive(Debug)]
pub struct SegmentWriter<'a> {
    out: &'a mut String,
    /// Where the next part begins, unless another part stands in front of it.
    start: usize,
    /// Whether the value that is being written has written several parts.
    several: bool,
    /// Text stands as it is: the segment is one of a tag, which is no identity.
    is_plain: bool,
    failed: &'a mut bool,
}

impl<'a> SegmentWriter<'a> {
    pub(super) fn new(out: &'a mut String, failed: &'a mut bool) -> Self {
        Self { start: out.len(), several: false, is_plain: false, out, failed }
    }

    /// A writer for a tag's segment. Two tags that read alike are one tag, so nothing has to be told apart, and text is
    /// the same as in a tag that is written by hand.
    pub(super) fn plain(out: &'a mut String, failed: &'a mut bool) -> Self {
        Self { is_plain: true, ..Self::new(out, failed) }
    }

    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Begins a part, with a comma after the one before it: otherwise `1` and `23` would look like `12` and `3`.
    pub(super) fn part(&mut self) -> &mut String {
        if self.out.len() > self.start {
            self.out.push(',');
            self.several = true;
        }
        self.start = self.out.len();
        self.out
    }

    /// Writes an integer: digits, with a `-` in front of a negative one.
    ///
    /// ```
    /// # use cached_core::{KeyIdentity, SegmentWriter};
    /// struct Cents(i64);
    ///
    /// impl KeyIdentity for Cents {
    ///     fn write(&self, out: &mut SegmentWriter<'_>) {
    ///         out.integer(self.0);
    ///     }
    /// }
    /// ```
    pub fn integer(&mut self, value: impl Into<i128>) {
        let value = value.into();
        // Most integers fit, and formatting 128 bits takes twice the time.
        match i64::try_from(value) {
            Ok(short) => self.part().push_str(itoa::Buffer::new().format(short)),
            Err(_) => self.part().push_str(itoa::Buffer::new().format(value)),
        }
    }

    pub(super) fn unsigned(&mut self, value: u128) {
        self.part().push_str(itoa::Buffer::new().format(value));
    }

    /// Writes text: escaped, and marked where it would look like something else; in tags as it is.
    ///
    /// ```
    /// # use cached_core::{KeyIdentity, SegmentWriter};
    /// struct Locale { language: &'static str }
    ///
    /// impl KeyIdentity for Locale {
    ///     fn write(&self, out: &mut SegmentWriter<'_>) {
    ///         out.text(self.language);
    ///     }
    /// }
    /// ```
    pub fn text(&mut self, text: &str) {
        self.part();
        if self.is_plain {
            return self.out.push_str(text);
        }
        if needs_mark(text) {
            self.out.push('\'');
        }
        self.escaped(text);
    }

    /// Writes bytes that are meant to be text, as paths are. Those that are no text look like escapes of characters that
    /// are never escaped.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return self.text(text);
        }
        self.part();
        for chunk in bytes.utf8_chunks() {
            self.escaped(chunk.valid());
            for byte in chunk.invalid() {
                let _ = write!(self.out, "%{byte:02X}");
            }
        }
    }

    fn escaped(&mut self, text: &str) {
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
    /// # use cached_core::{KeyIdentity, SegmentWriter};
    /// struct Point { x: i32, y: i32 }
    ///
    /// impl KeyIdentity for Point {
    ///     fn write(&self, out: &mut SegmentWriter<'_>) {
    ///         out.tuple(&[&self.x, &self.y]);
    ///     }
    /// }
    /// ```
    pub fn tuple(&mut self, items: &[&dyn KeyIdentity]) {
        self.part();
        self.list('(', items.iter().copied(), ')');
    }

    /// Writes a variant of an enum: `Name`, or `Name(a,b)` if it has fields.
    ///
    /// ```
    /// # use cached_core::{KeyIdentity, SegmentWriter};
    /// enum Scope { All, Of(u64) }
    ///
    /// impl KeyIdentity for Scope {
    ///     fn write(&self, out: &mut SegmentWriter<'_>) {
    ///         match self {
    ///             Self::All => out.variant("All", &[]),
    ///             Self::Of(id) => out.variant("Of", &[id]),
    ///         }
    ///     }
    /// }
    /// ```
    pub fn variant(&mut self, name: &str, fields: &[&dyn KeyIdentity]) {
        self.text(name);
        if !fields.is_empty() {
            self.list('(', fields.iter().copied(), ')');
        }
    }

    pub(super) fn list<'s>(&mut self, open: char, items: impl Iterator<Item = &'s dyn KeyIdentity>, close: char) {
        self.out.push(open);
        for (i, item) in items.enumerate() {
            if i > 0 {
                self.out.push(',');
            }
            self.item(item);
        }
        self.out.push(close);
    }

    /// Writes items whose order has no meaning: `set[a,b]`.
    pub(super) fn unordered<T: KeyIdentity>(&mut self, name: &str, items: impl Iterator<Item = T>) {
        self.part().push_str(name);
        let start = self.out.len();
        let mut forms: Vec<String> = Vec::new();
        for item in items {
            self.item(&item);
            forms.push(self.out.split_off(start));
        }
        forms.sort_unstable();
        self.out.push('[');
        self.out.push_str(&forms.join(","));
        self.out.push(']');
    }

    /// Writes one item of a list, in parentheses if it has several parts: otherwise two items that write `1` and `2,3`
    /// would look like two that write `1,2` and `3`.
    fn item(&mut self, item: &dyn KeyIdentity) {
        let start = self.out.len();
        let outer = std::mem::take(&mut self.several);
        self.start = start;
        item.write(self);
        // An item that writes nothing must still show.
        if self.several || self.out.len() == start {
            self.out.insert(start, '(');
            self.out.push(')');
        }
        self.several = outer;
    }

    /// Writes the hash of a value: `@` and the SHA-256 of its form.
    pub(super) fn hashed<T: KeyIdentity + ?Sized>(&mut self, value: &T) {
        let start = self.part().len();
        value.write(&mut SegmentWriter::new(self.out, self.failed));
        let form = self.out.split_off(start);
        self.out.push('@');
        push_sha256(self.out, "hash", form.as_bytes());
    }

    /// Writes a float. It need not be readable, because floats are only hashed.
    pub(super) fn float(&mut self, value: impl std::fmt::Debug) {
        let _ = write!(self.part(), "float[{value:?}]");
    }

    /// Gives access to the text, for parts that are already in their final form and cannot look like another kind.
    pub(super) fn raw(&mut self) -> &mut String {
        self.out
    }

    /// Marks the value as one that cannot be rendered: the call runs without the cache, and the statistics count it.
    pub(super) fn fail(&mut self) {
        *self.failed = true;
    }
}

pub(super) fn needs_mark(text: &str) -> bool {
    match text.as_bytes() {
        [] | [b'\'' | b'~' | b'#' | b'@', ..] | b"true" | b"false" => true,
        [b'-', digits @ ..] | digits => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
    }
}
