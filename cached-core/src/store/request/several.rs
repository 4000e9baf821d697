//! Requests that may be about several registers.

use crate::store::{Cursor, Head, Key, Written};
use std::time::Duration;

/// HIT with tags: asks for several registers. See [`Store::get_all`](crate::store::Store::get_all).
///
/// ```
/// use cached_core::store::{GetAll, Key};
/// use std::time::Duration;
///
/// let keys = [Key::from("a"), Key::from("b")];
/// assert_eq!(GetAll::new(&keys, Duration::from_millis(100)).keys.len(), 2);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GetAll<'a> {
    /// The registers; one may be named twice.
    pub keys: &'a [Key],
    /// The longest time that the answer may take.
    pub within: Duration,
}

impl<'a> GetAll<'a> {
    /// Asks for the registers `keys`.
    ///
    /// ```
    /// # use cached_core::store::{GetAll, Key};
    /// # use std::time::Duration;
    /// # let keys = [Key::from("a"), Key::from("b")];
    /// let request = GetAll::new(&keys, Duration::from_millis(100));
    /// # assert_eq!(request.keys, &keys);
    /// ```
    #[must_use]
    pub fn new(keys: &'a [Key], within: Duration) -> Self {
        Self { keys, within }
    }
}

/// Asks for several registers, and for news of their changes from then on. See
/// [`Watch::get_watched`](crate::store::Watch::get_watched).
///
/// ```
/// use cached_core::store::{GetWatched, Key};
/// use std::time::Duration;
///
/// let keys = [Key::from("entry"), Key::from("tag")];
/// let request = GetWatched::new(&keys, Duration::from_millis(100)).timed(1);
/// assert_eq!((request.keys.len(), request.timed), (2, 1));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GetWatched<'a> {
    /// The registers; one may be named twice.
    pub keys: &'a [Key],
    /// The number of registers, counted from the first, whose time to live the caller wants to know.
    pub timed: usize,
    /// The longest time that the answer may take.
    pub within: Duration,
}

impl<'a> GetWatched<'a> {
    /// Asks for the registers `keys`, and for no time to live.
    ///
    /// ```
    /// # use cached_core::store::{GetWatched, Key};
    /// # use std::time::Duration;
    /// # let keys = [Key::from("entry"), Key::from("tag")];
    /// let request = GetWatched::new(&keys, Duration::from_millis(100));
    /// # assert_eq!(request.timed, 0);
    /// ```
    #[must_use]
    pub fn new(keys: &'a [Key], within: Duration) -> Self {
        Self { keys, timed: 0, within }
    }

    /// Asks for the times to live of the first `timed` registers as well.
    ///
    /// ```
    /// # use cached_core::store::{GetWatched, Key};
    /// # use std::time::Duration;
    /// # let keys = [Key::from("entry"), Key::from("tag")];
    /// let request = GetWatched::new(&keys, Duration::from_millis(100)).timed(1);
    /// # assert_eq!(request.timed, 1);
    /// ```
    #[must_use]
    pub fn timed(self, timed: usize) -> Self {
        Self { timed, ..self }
    }
}

/// INVALIDATE of several registers. See [`Store::remove_all`](crate::store::Store::remove_all).
///
/// ```
/// use cached_core::store::{Key, RemoveAll};
/// use std::time::Duration;
///
/// let keys = [Key::from("a"), Key::from("b")];
/// assert_eq!(RemoveAll::new(&keys, Duration::from_millis(100)).keys.len(), 2);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RemoveAll<'a> {
    /// The registers.
    pub keys: &'a [Key],
    /// The longest time that the answer may take.
    pub within: Duration,
}

impl<'a> RemoveAll<'a> {
    /// Asks that the registers `keys` are removed.
    ///
    /// ```
    /// # use cached_core::store::{Key, RemoveAll};
    /// # use std::time::Duration;
    /// # let keys = [Key::from("a"), Key::from("b")];
    /// let request = RemoveAll::new(&keys, Duration::from_millis(100));
    /// # assert_eq!(request.keys, &keys);
    /// ```
    #[must_use]
    pub fn new(keys: &'a [Key], within: Duration) -> Self {
        Self { keys, within }
    }
}

/// TAG: asks for the heads of tags. See [`Store::tag`](crate::store::Store::tag).
///
/// ```
/// use cached_core::store::{Head, Key, TagAll};
/// use std::time::Duration;
///
/// let (tags, fresh) = ([Key::from("tenant:7")], Head::from_bytes(b"V0123456789abcdef").unwrap());
/// let request = TagAll::new(&tags, fresh, Duration::from_secs(60), Duration::from_millis(100));
/// assert_eq!(request.fresh, fresh);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TagAll<'a> {
    /// The tags; one may be named twice.
    pub tags: &'a [Key],
    /// The head of the tags that are created.
    pub fresh: Head,
    /// The time to live of a tag that is created, or that has less than half of this left.
    pub ttl: Duration,
    /// The longest time that the answer may take.
    pub within: Duration,
}

impl<'a> TagAll<'a> {
    /// Asks for the heads of `tags`; absent ones are created with the head `fresh`.
    ///
    /// ```
    /// # use cached_core::store::{Head, Key, TagAll};
    /// # use std::time::Duration;
    /// # let (tags, fresh) = ([Key::from("tenant:7")], Head::from_bytes(b"V0123456789abcdef").unwrap());
    /// let request = TagAll::new(&tags, fresh, Duration::from_secs(60), Duration::from_millis(100));
    /// # assert_eq!(request.tags, &tags);
    /// ```
    #[must_use]
    pub fn new(tags: &'a [Key], fresh: Head, ttl: Duration, within: Duration) -> Self {
        Self { tags, fresh, ttl, within }
    }
}

/// BEGIN: asks that registers are marked as being written. See [`Store::begin`](crate::store::Store::begin).
///
/// ```
/// use cached_core::store::{Begin, Head, Key};
/// use std::time::Duration;
///
/// let (keys, writer) = ([Key::from("k")], Head::from_bytes(b"L0123456789abcdef").unwrap());
/// let request = Begin::new(writer, &keys, Duration::from_secs(10), Duration::from_millis(100));
/// assert!(!request.token);
/// assert!(request.with_token(true).token);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Begin<'a> {
    /// The writer: its markers are known by this head, and its token is this head.
    pub writer: Head,
    /// The registers.
    pub keys: &'a [Key],
    /// The time after which the markers end by themselves.
    pub marker: Duration,
    /// Whether a token is to stand in the registers.
    pub token: bool,
    /// The longest time that the answer may take.
    pub within: Duration,
}

impl<'a> Begin<'a> {
    /// Asks that `keys` are marked, without a token.
    ///
    /// ```
    /// # use cached_core::store::{Begin, Head, Key};
    /// # use std::time::Duration;
    /// # let (keys, writer) = ([Key::from("k")], Head::from_bytes(b"L0123456789abcdef").unwrap());
    /// let request = Begin::new(writer, &keys, Duration::from_secs(10), Duration::from_millis(100));
    /// # assert_eq!(request.writer, writer);
    /// ```
    #[must_use]
    pub fn new(writer: Head, keys: &'a [Key], marker: Duration, within: Duration) -> Self {
        Self { writer, keys, marker, token: false, within }
    }

    /// Says whether a token is to stand in the registers.
    ///
    /// ```
    /// # use cached_core::store::{Begin, Head, Key};
    /// # use std::time::Duration;
    /// # let (keys, writer) = ([Key::from("k")], Head::from_bytes(b"L0123456789abcdef").unwrap());
    /// let request = Begin::new(writer, &keys, Duration::from_secs(10), Duration::from_millis(100)).with_token(true);
    /// # assert!(request.token);
    /// ```
    #[must_use]
    pub fn with_token(self, token: bool) -> Self {
        Self { token, ..self }
    }
}

/// END: asks that a write ends. See [`Store::end`](crate::store::Store::end).
///
/// ```
/// use cached_core::store::{End, Head, Key, Written};
/// use std::time::Duration;
///
/// let writer = Head::from_bytes(b"L0123456789abcdef").unwrap();
/// let written = [Written::nothing(Key::from("k"))];
/// assert_eq!(End::new(writer, &written, Duration::from_millis(100)).written.len(), 1);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct End<'a> {
    /// The writer.
    pub writer: Head,
    /// The registers, and what is to stand there.
    pub written: &'a [Written],
    /// The longest time that the answer may take.
    pub within: Duration,
}

impl<'a> End<'a> {
    /// Asks that the write of `writer` on these registers ends.
    ///
    /// ```
    /// # use cached_core::store::{End, Head, Key, Written};
    /// # use std::time::Duration;
    /// # let writer = Head::from_bytes(b"L0123456789abcdef").unwrap();
    /// # let written = [Written::nothing(Key::from("k"))];
    /// let request = End::new(writer, &written, Duration::from_millis(100));
    /// # assert_eq!(request.writer, writer);
    /// ```
    #[must_use]
    pub fn new(writer: Head, written: &'a [Written], within: Duration) -> Self {
        Self { writer, written, within }
    }
}

/// Asks for one stretch of a sweep. See [`Store::sweep`](crate::store::Store::sweep).
///
/// ```
/// use cached_core::store::Sweep;
/// use std::time::Duration;
///
/// assert!(Sweep::new("shop:", Duration::from_secs(1)).from.is_none());
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Sweep<'a> {
    /// The text that the keys begin with.
    pub prefix: &'a str,
    /// The place where the stretch begins; `None` for the first stretch.
    pub from: Option<Cursor>,
    /// The longest time that the answer may take.
    pub within: Duration,
}

impl<'a> Sweep<'a> {
    /// Asks for the first stretch.
    ///
    /// ```
    /// # use cached_core::store::Sweep;
    /// # use std::time::Duration;
    /// let request = Sweep::new("shop:", Duration::from_secs(1));
    /// # assert_eq!(request.prefix, "shop:");
    /// ```
    #[must_use]
    pub fn new(prefix: &'a str, within: Duration) -> Self {
        Self { prefix, from: None, within }
    }

    /// Asks for the stretch that begins at `from`, the [`next`](crate::store::Swept::next) of the stretch before.
    ///
    /// ```
    /// # use cached_core::store::{Cursor, Sweep};
    /// # use std::time::Duration;
    /// let request = Sweep::new("shop:", Duration::from_secs(1)).from_cursor(Some(Cursor::at(17)));
    /// # assert_eq!(request.from.unwrap().position(), 17);
    /// ```
    #[must_use]
    pub fn from_cursor(self, from: Option<Cursor>) -> Self {
        Self { from, ..self }
    }
}
