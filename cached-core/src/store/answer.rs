//! What stores answer, and what callers tell them about registers.

use crate::envelope::Head;
use crate::store::{Each, Key};
use bytes::Bytes;
use std::time::Duration;

/// The registers that the caller of [`Store::acquire`](crate::store::Store::acquire) may replace by its lease.
///
/// ```
/// use bytes::Bytes;
/// use cached_core::store::Replace;
///
/// let damaged = Bytes::from_static(b"damaged");
/// assert!(Replace::unusable(&damaged).covers(b"damaged"));
/// assert!(!Replace::unusable(&damaged).covers(b"replaced meanwhile"));
/// assert!(!Replace::Nothing.covers(b"damaged"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Replace {
    /// The lease takes an absent register only.
    Nothing,
    /// The lease also takes the register that begins with these bytes, or that is these bytes if they are fewer than
    /// [`Head::LEN`]: the caller has found it to be unusable.
    Unusable(Bytes),
}

impl Replace {
    /// Marks `register` as unusable: as a whole if it is shorter than a head, else by its head.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use cached_core::store::{Head, Replace};
    ///
    /// let register = Bytes::from(vec![b'V'; 40]);
    /// assert_eq!(Replace::unusable(&register), Replace::Unusable(register.slice(..Head::LEN)));
    /// ```
    #[must_use]
    pub fn unusable(register: &[u8]) -> Self {
        Self::Unusable(Bytes::copy_from_slice(&register[..register.len().min(Head::LEN)]))
    }

    /// Says whether the caller may replace `register`.
    ///
    /// ```
    /// use cached_core::store::Replace;
    ///
    /// assert!(!Replace::Nothing.covers(b"anything"));
    /// ```
    #[must_use]
    pub fn covers(&self, register: &[u8]) -> bool {
        match self {
            Self::Nothing => false,
            Self::Unusable(start) if start.len() < Head::LEN => register == start,
            Self::Unusable(start) => register.starts_with(start),
        }
    }
}

/// The answer to a request for a lease: [`Store::acquire`](crate::store::Store::acquire).
///
/// ```
/// use cached_core::store::Acquired;
///
/// fn who_loads(answer: &Acquired) -> &'static str {
///     match answer {
///         Acquired::Granted => "this caller, and stores",
///         Acquired::Value(_) => "nobody",
///         Acquired::Leased(_) => "someone else",
///         _ => "this caller, without storing",
///     }
/// }
/// assert_eq!(who_loads(&Acquired::Granted), "this caller, and stores");
/// assert_eq!(who_loads(&Acquired::Writing), "this caller, without storing");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Acquired {
    /// The caller holds the lease.
    Granted,
    /// This value stands in the register by now.
    Value(Bytes),
    /// Someone else holds a lease, for at most this time.
    Leased(Duration),
    /// A write is in progress: the caller loads, stores nothing, and shares nothing.
    Writing,
}

/// The answer to a forced refresh that begins:
/// [`ForcedRefresh::take_over`](crate::store::ForcedRefresh::take_over).
///
/// ```
/// use cached_core::store::{Head, TakenOver};
///
/// /// The head that the register must still have when the loaded value is to be stored.
/// fn expected(answer: TakenOver, fresh: Head, lease: Head) -> Option<Head> {
///     match answer {
///         TakenOver::Value => Some(fresh),
///         TakenOver::Lease => Some(lease),
///         _ => None,
///     }
/// }
/// # let (fresh, lease) = (Head::from_bytes(b"V0123456789abcdef").unwrap(), Head::from_bytes(b"L0123456789abcdef").unwrap());
/// assert_eq!(expected(TakenOver::Value, fresh, lease), Some(fresh));
/// assert_eq!(expected(TakenOver::Writing, fresh, lease), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TakenOver {
    /// The value that stands in the register has the fresh head now.
    Value,
    /// No value stood there; the caller's lease does now, in place of whatever there was.
    Lease,
    /// A write is in progress: the caller loads and stores nothing. Nothing stands in the register.
    Writing,
}

/// What a write leaves under one of its keys when it ends: [`End::written`](crate::store::End::written).
///
/// ```
/// use cached_core::store::{Key, Written};
/// use std::time::Duration;
///
/// let removed = Written::nothing(Key::from("key"));
/// assert!(removed.put.is_none());
/// let stored = Written::value(Key::from("key"), "bytes".into(), Duration::from_secs(60));
/// assert_eq!(stored.put.unwrap().value, "bytes");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The register.
    pub key: Key,
    /// The value that is to stand there; `None` leaves nothing.
    pub put: Option<PutValue>,
}

impl Written {
    /// Leaves nothing under `key`.
    ///
    /// ```
    /// use cached_core::store::{Key, Written};
    ///
    /// assert!(Written::nothing(Key::from("key")).put.is_none());
    /// ```
    #[must_use]
    pub fn nothing(key: Key) -> Self {
        Self { key, put: None }
    }

    /// Leaves `value` under `key` for `ttl`.
    ///
    /// ```
    /// use cached_core::store::{Key, Written};
    /// use std::time::Duration;
    ///
    /// let written = Written::value(Key::from("key"), "bytes".into(), Duration::from_secs(60));
    /// assert_eq!(written.put.unwrap().ttl, Duration::from_secs(60));
    /// ```
    #[must_use]
    pub fn value(key: Key, value: Bytes, ttl: Duration) -> Self {
        Self { key, put: Some(PutValue { value, ttl }) }
    }
}

/// A value that a write puts: [`Written::put`].
///
/// ```
/// use cached_core::store::{Key, Written};
/// use std::time::Duration;
///
/// let written = Written::value(Key::from("key"), "bytes".into(), Duration::from_secs(60));
/// let put = written.put.unwrap();
/// assert_eq!((&put.value[..], put.ttl), (&b"bytes"[..], Duration::from_secs(60)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PutValue {
    /// The bytes of the value.
    pub value: Bytes,
    /// The time to live of the value.
    pub ttl: Duration,
}

/// What [`Watch::get_watched`](crate::store::Watch::get_watched) has read.
///
/// ```
/// use cached_core::store::Watched;
/// use std::time::Duration;
///
/// let nothing = Watched::new(vec![None], vec![Duration::ZERO]);
/// assert!(nothing.registers[0].is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Watched {
    /// The registers, in the order of the request's keys.
    pub registers: Vec<Option<Bytes>>,
    /// The times that the first registers still live, for as many as the request says; zero for an absent register.
    pub lives: Vec<Duration>,
}

impl Watched {
    /// Answers with these registers, and with these times to live of the first of them.
    ///
    /// ```
    /// use cached_core::store::Watched;
    ///
    /// assert_eq!(Watched::new(vec![Some("tag".into())], vec![]).registers.len(), 1);
    /// ```
    #[must_use]
    pub fn new(registers: Vec<Option<Bytes>>, lives: Vec<Duration>) -> Self {
        Self { registers, lives }
    }
}

/// The answer to the end of a write: [`Store::end`](crate::store::Store::end).
///
/// ```
/// use cached_core::store::Ended;
///
/// let ended = Ended::new(true, vec![(), ()].into());
/// assert!(ended.put && ended.keys.whole().is_ok());
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use = "a key of it may have failed"]
pub struct Ended {
    /// Whether the store has put all that was to be put.
    pub put: bool,
    /// Whether the write has ended on each of its keys.
    pub keys: Each<()>,
}

impl Ended {
    /// Answers whether all was put, and for each key whether the write has ended there.
    ///
    /// ```
    /// use cached_core::store::Ended;
    ///
    /// assert!(!Ended::new(false, vec![()].into()).put);
    /// ```
    pub fn new(put: bool, keys: Each<()>) -> Self {
        Self { put, keys }
    }
}

/// The place where a stretch of a sweep begins.
///
/// A store makes it with [`at`](Self::at) and gets it back in the next request; to everyone else it means nothing.
///
/// ```
/// use cached_core::store::Cursor;
///
/// assert_eq!(Cursor::at(17).position(), 17);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    position: u64,
}

impl Cursor {
    /// The place that the store numbers so.
    ///
    /// ```
    /// assert_ne!(cached_core::store::Cursor::at(1), cached_core::store::Cursor::at(2));
    /// ```
    #[must_use]
    pub fn at(position: u64) -> Self {
        Self { position }
    }

    /// The number that the store gave.
    ///
    /// ```
    /// assert_eq!(cached_core::store::Cursor::at(1).position(), 1);
    /// ```
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }
}

/// The answer to one stretch of a sweep: [`Store::sweep`](crate::store::Store::sweep).
///
/// ```
/// use cached_core::store::Swept;
///
/// let last = Swept::new(None, 12);
/// assert!(last.next.is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// The place where the next stretch begins; `None` if this was the last.
    pub next: Option<Cursor>,
    /// The number of registers that this stretch has removed.
    pub removed: u64,
}

impl Swept {
    /// Answers that this many registers were removed, and where the next stretch begins.
    ///
    /// ```
    /// use cached_core::store::{Cursor, Swept};
    ///
    /// assert_eq!(Swept::new(Some(Cursor::at(17)), 12).removed, 12);
    /// ```
    #[must_use]
    pub fn new(next: Option<Cursor>, removed: u64) -> Self {
        Self { next, removed }
    }
}
