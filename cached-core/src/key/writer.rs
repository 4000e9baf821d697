//! Writes the parts of a segment.

use super::{KeyIdentity, MAX_SEGMENT, Piece, push_sha256};
use std::fmt::Write as _;

/// Takes the parts of a segment and escapes them; what [`KeyIdentity::write`] writes to.
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
    /// Where the next part begins if nothing stands in front of it.
    start: usize,
    /// Whether the value that is being written has written several parts.
    several: bool,
    failed: &'a mut bool,
}

impl<'a> SegmentWriter<'a> {
    pub(super) fn new(out: &'a mut String, failed: &'a mut bool) -> Self {
        Self { start: out.len(), several: false, out, failed }
    }

    /// Begins a part, apart from one in front of it: else `1` and `23` would read like `12` and `3`.
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
        // Most fit, and 128 bits take twice the time.
        match i64::try_from(value) {
            Ok(short) => self.part().push_str(itoa::Buffer::new().format(short)),
            Err(_) => self.part().push_str(itoa::Buffer::new().format(value)),
        }
    }

    pub(super) fn unsigned(&mut self, value: u128) {
        self.part().push_str(itoa::Buffer::new().format(value));
    }

    /// Writes text: escaped, and marked where it would look like something else.
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

    /// Writes items whose order says nothing: `set[a,b]`.
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

    /// Writes one item of a list. What it writes in a row is put in parentheses: else two items that write `1` and `2,3`
    /// would read like two that write `1,2` and `3`.
    fn item(&mut self, item: &dyn KeyIdentity) {
        let start = self.out.len();
        let outer = std::mem::take(&mut self.several);
        self.start = start;
        item.write(self);
        // An item that writes nothing counts as well.
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

    /// Writes a float. It is for hashes only, so that it need not be readable.
    pub(super) fn float(&mut self, value: impl std::fmt::Debug) {
        let _ = write!(self.part(), "float[{value:?}]");
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

/// Whether a placeholder may have been rendered to this; `texts` names those of arguments that are text.
pub(crate) fn is_rendered(placeholder: Piece, part: &str, texts: &[&str]) -> bool {
    let is_hash = |mark: char| {
        let hash = part.strip_prefix(mark);
        hash.is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let name = match placeholder {
        Piece::Hash(_) | Piece::Serde(_) | Piece::All => return is_hash('@'),
        Piece::Segment(name) => Some(name),
        Piece::Literal(_) | Piece::Path => None,
    };
    if is_hash('#') {
        return true;
    }
    let escapes = part.split('%').skip(1);
    let is_escape = |escape: &str| escape.len() >= 2 && escape.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    let is_escaped = !part.contains([':', '{', '}']) && !part.contains(char::is_control) && { escapes }.all(is_escape);
    let is_text = name.is_some_and(|name| texts.contains(&name));
    let is_marked = part.starts_with(['\'', '~']) || !needs_mark(part) && !part.contains(['(', ')', '[', ']', ',']);
    !part.is_empty() && part.len() <= MAX_SEGMENT && is_escaped && (!is_text || is_marked)
}

fn needs_mark(text: &str) -> bool {
    match text.as_bytes() {
        [] | [b'\'' | b'~' | b'#' | b'@', ..] | b"true" | b"false" => true,
        [b'-', digits @ ..] | digits => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
    }
}
