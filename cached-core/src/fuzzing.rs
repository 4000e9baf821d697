//! The entry point for the targets in the repository's `fuzz/`. Compiled only with `--cfg fuzzing`; not part of the
//! API.

use crate::envelope::tags::TagRecord;
use crate::envelope::times::Times;
use crate::envelope::{self, Content, Draft, ERROR, Expectation, Head, Place, Register};
use crate::key::{self, Prefix};
use crate::reason::MissReason;
use bytes::Bytes;

pub use crate::key::{Hashed, Piece, Serialized};

/// Longest key in bytes.
pub const MAX_KEY: usize = key::MAX_KEY;
/// Longest rendered segment in bytes.
pub const MAX_SEGMENT: usize = key::MAX_SEGMENT;

/// What a value is written with and must be read with.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// The key that the value stands under.
    pub key: &'a str,
    /// The codec's number, at most 7; 8 more for an error.
    pub codec: u8,
    /// The type's fingerprint.
    pub fingerprint: u64,
}

/// The content of a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// A lease.
    Lease,
    /// A payload; `None` for a cached `None`.
    Value(Option<Bytes>),
    /// Neither a lease nor a value.
    Invalid(MissReason),
}

/// The most tags of each kind.
pub const MAX_TAGS: usize = crate::envelope::tags::MAX_TAGS;

/// The tags of a value and their stamps.
#[derive(Debug, Clone, Copy)]
pub struct Tags<'a> {
    /// The stamps of the call tags; at most [`MAX_TAGS`].
    pub call: &'a [u128],
    /// The names and stamps of the value tags; at most [`MAX_TAGS`].
    pub value: &'a [(&'a str, u128)],
}

impl Tags<'_> {
    fn recorded(self) -> TagRecord {
        let call: Vec<_> = self.call.iter().copied().map(Head::value).collect();
        TagRecord::new(&call, self.value.iter().map(|(name, stamp)| (Box::from(*name), Head::value(*stamp))))
    }

    /// Whether a register that can be read records exactly these tags.
    #[must_use]
    pub fn are_recorded(self, register: &Bytes, of: Identity<'_>, max_payload: usize) -> bool {
        let expected = Expectation { key: of.key, codec: of.codec, fingerprint: of.fingerprint, max_payload };
        let Register::Value(found) = envelope::read(register, expected) else { return false };
        let call: Vec<_> = self.call.iter().copied().map(Head::value).collect();
        let value: Vec<_> = self.value.iter().map(|(_, stamp)| Head::value(*stamp)).collect();
        found.recorded.holds(None, call.iter().map(|head| Some(head.as_bytes())))
            && found.recorded.holds_named(value.iter().map(|head| Some(head.as_bytes())))
            && found.recorded.names().eq(self.value.iter().map(|(name, _)| *name))
    }
}

/// When a value becomes stale, in milliseconds since 1970, and how long its load took, in microseconds.
pub type TimesOf = Option<(u64, u32)>;

/// The times of a register that can be read.
#[must_use]
pub fn times(register: &Bytes, of: Identity<'_>, max_payload: usize) -> TimesOf {
    let expected = Expectation { key: of.key, codec: of.codec, fingerprint: of.fingerprint, max_payload };
    let Register::Value(found) = envelope::read(register, expected) else { return None };
    assert_eq!(found.times, envelope::times(register));
    found.times.map(|times| (times.fresh_until, times.load_time))
}

/// Writes a register with this stamp. Compresses payloads from `compress_above` bytes on.
#[must_use]
pub fn write(
    of: Identity<'_>,
    stamp: u128,
    payload: Option<&[u8]>,
    times: TimesOf,
    tags: Tags<'_>,
    compress_above: usize,
) -> Bytes {
    envelope::write(&Draft {
        key: of.key,
        head: Head::value(stamp),
        codec: of.codec & !ERROR,
        fingerprint: of.fingerprint,
        content: match payload {
            Some(error) if of.codec & ERROR != 0 => Content::Error(error),
            value => Content::of(value),
        },
        times: times.map(|(fresh_until, load_time)| Times { fresh_until, load_time }),
        recorded: &tags.recorded(),
        compress_above,
    })
}

/// Reads a register; a compressed payload may expand to `max_payload` bytes.
#[must_use]
pub fn read(register: &Bytes, of: Identity<'_>, max_payload: usize) -> Read {
    let expected = Expectation { key: of.key, codec: of.codec, fingerprint: of.fingerprint, max_payload };
    match envelope::read(register, expected) {
        Register::Lease(_) => Read::Lease,
        Register::Value(found) => Read::Value(match found.payload {
            Place::At(from) => Some(register.slice(from..)),
            Place::Expanded(payload) => Some(payload),
            Place::None => None,
        }),
        Register::Invalid(reason) => Read::Invalid(reason),
    }
}

/// Renders the key of one call.
#[must_use]
pub fn render(namespace: &str, template: &[Piece], segments: &[&dyn crate::KeySegment]) -> Option<String> {
    Prefix::new(namespace).render(template, "module::function", segments).ok().map(|key| key.to_string())
}

/// The text that is hashed for a `<name:serde>`.
#[must_use]
pub fn canonical<T: serde::Serialize + ?Sized>(value: &T) -> Option<String> {
    key::canonical_text(value).ok()
}
