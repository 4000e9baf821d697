//! The way in for the targets in the repository's `fuzz/`. Compiled by `--cfg fuzzing` only; not part of the API.

use crate::envelope::tags::TagRecord;
use crate::envelope::times::Times;
use crate::envelope::{self, Draft, Expectation, Head, Place, Register};
use crate::key::{self, Prefix};
use crate::reason::MissReason;
use bytes::Bytes;

pub use crate::key::{Hashed, Piece, Serialized};

/// Longest key in bytes.
pub const MAX_KEY: usize = key::MAX_KEY;
/// Longest rendered segment in bytes.
pub const MAX_SEGMENT: usize = key::MAX_SEGMENT;

/// What a value is written with and has to be read with.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// The key it stands under.
    pub key: &'a str,
    /// The codec's number, at most 15.
    pub codec: u8,
    /// The type's fingerprint.
    pub fingerprint: u64,
}

/// What a register turned out to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// A lease.
    Lease,
    /// A payload; `None` for a `None`.
    Value(Option<Bytes>),
    /// Neither.
    Invalid(MissReason),
}

/// Most tags of either kind.
pub const MAX_TAGS: usize = crate::envelope::tags::MAX_TAGS;

/// The tags of a value and their stamps.
#[derive(Debug, Clone, Copy)]
pub struct Tags<'a> {
    /// Of those that a call tells; at most [`MAX_TAGS`].
    pub told: &'a [u128],
    /// Those that only the value tells; at most [`MAX_TAGS`].
    pub named: &'a [(&'a str, u128)],
}

impl Tags<'_> {
    fn recorded(self) -> TagRecord {
        let told: Vec<_> = self.told.iter().copied().map(Head::value).collect();
        TagRecord::new(&told, self.named.iter().map(|(name, stamp)| (Box::from(*name), Head::value(*stamp))))
    }

    /// Whether a register that can be read records just these.
    #[must_use]
    pub fn are_recorded(self, register: &Bytes, of: Identity<'_>, max_payload: usize) -> bool {
        let expected = Expectation { key: of.key, codec: of.codec, fingerprint: of.fingerprint, max_payload };
        let Register::Value(found) = envelope::read(register, expected) else { return false };
        let told: Vec<_> = self.told.iter().copied().map(Head::value).collect();
        let named: Vec<_> = self.named.iter().map(|(_, stamp)| Head::value(*stamp)).collect();
        found.recorded.holds(None, told.iter().map(|head| Some(head.as_bytes())))
            && found.recorded.holds_named(named.iter().map(|head| Some(head.as_bytes())))
            && found.recorded.names().eq(self.named.iter().map(|(name, _)| *name))
    }
}

/// When a value is stale, in milliseconds since 1970, and how long it took to load, in microseconds.
pub type TimesOf = Option<(u64, u32)>;

/// The times of a register that can be read.
#[must_use]
pub fn times(register: &Bytes, of: Identity<'_>, max_payload: usize) -> TimesOf {
    let expected = Expectation { key: of.key, codec: of.codec, fingerprint: of.fingerprint, max_payload };
    let Register::Value(found) = envelope::read(register, expected) else { return None };
    assert_eq!(found.times, envelope::times(register));
    found.times.map(|times| (times.fresh_until, times.load_time))
}

/// Writes a register whose stamp is `stamp`, compressed from `compress_above` bytes on.
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
        codec: of.codec,
        fingerprint: of.fingerprint,
        payload,
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

/// The text of which the hash of a `<name:serde>` is made.
#[must_use]
pub fn canonical<T: serde::Serialize + ?Sized>(value: &T) -> Option<String> {
    key::canonical_text(value).ok()
}
