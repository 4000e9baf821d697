//! Reads and writes registers: the bytes under one key, which hold a lease or a value.
//!
//! It only parses. What a register means to a call, a hit among others, is decided in `engine/read`.
//!
//! ```text
//! lease   'L' purpose[2] id[14]
//! value   'V' stamp[16] | kind[1] fingerprint[2] check[4] | times | tags | payload
//! ```
//!
//! `FORMAT.md` says it for programs in other languages; change both. The first 17 bytes are the register's *head*. A
//! lease's `purpose` says what its load is for, see `lease`. Numbers are little-endian. Reading never fails: whatever
//! the bytes are, the answer is a lease, a value, or the reason why they are neither.
//!
//! The check is a CRC-32 of the key, the kind, the whole fingerprint (8 bytes) and everything that follows. It is
//! needed because damaged bytes can be valid JSON, and so can bytes that a `RENAME`, a restored dump or a connection
//! out of step brought from another key; none of them is served. The register contains 2 bytes of the fingerprint, to
//! tell another type from damage.
//!
//! The header is small on purpose: with 24 more bytes, most values stay in the same size class of the server's
//! allocator. What only some sites need follows the check and is announced by a bit of the kind ([`times`], [`tags`]).
//! A reader that does not know the bit treats the register as one of another version.

mod head;
pub(crate) mod tags;
pub(crate) mod times;

pub use head::Head;
pub(crate) use times::Times;

use crate::reason::MissReason;
use bytes::{BufMut, Bytes};
use tags::TagRecord;

/// Length of the fixed part between the head and the payload, in bytes.
const HEADER: usize = 7;
/// The offset of the check.
const CHECK: usize = Head::LEN + 3;
const PAYLOAD: usize = Head::LEN + HEADER;

/// Low bits of the kind: the codec, and [`ERROR`]. A reader that does not know that bit takes an error for a value of
/// another codec.
const CODEC_MASK: u8 = 0x0f;
/// Stands beside the codec: an error was stored, and not a value.
pub(crate) const ERROR: u8 = 0x08;
/// The value is a `None`; there is no payload.
const FLAG_NONE: u8 = 0x10;
/// The payload is compressed with LZ4, with its expanded size in front.
const FLAG_LZ4: u8 = 0x20;
/// The value depends on tags, whose stamps stand in front of the payload.
const FLAG_TAGS: u8 = 0x40;
/// The value has a time after which it is stale; its times stand behind the check.
const FLAG_TIMES: u8 = 0x80;

/// How old a value is, for the site that read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    /// Served.
    Fresh,
    /// Fresh, but refreshed ahead of its end.
    Early,
    /// Past its end: served and refreshed.
    Stale,
    /// Past its end: served only if the load fails.
    Fallback,
}

impl Age {
    /// Whether the value is past its end.
    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::Stale | Self::Fallback)
    }
}

/// What is stored, as bytes `B`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content<B> {
    Value(B),
    /// A `None`.
    None,
    /// An error that `error_if` has chosen.
    Error(B),
}

impl<B> Content<B> {
    /// A value, or a `None`.
    pub(crate) fn of(value: Option<B>) -> Self {
        value.map_or(Self::None, Self::Value)
    }

    pub(crate) fn is_error(&self) -> bool {
        matches!(self, Self::Error(_))
    }

    /// The bytes of a value or an error.
    pub(crate) fn bytes(self) -> Option<B> {
        match self {
            Self::Value(bytes) | Self::Error(bytes) => Some(bytes),
            Self::None => None,
        }
    }
}

/// A value that is not yet decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `None` stands for a cached `None`.
    payload: Option<Payload>,
    /// The payload is an error. Not a [`Content`], which would be larger.
    is_error: bool,
    /// The head of the register it was read from; `None` if it was loaded in this process.
    pub(crate) head: Option<Head>,
    pub(crate) age: Age,
}

/// The payload inside the bytes that it was read from: cutting it out would cost an allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Payload {
    bytes: Bytes,
    from: usize,
}

impl Entry {
    /// A value that this process has just encoded.
    pub(crate) fn loaded(content: Content<Vec<u8>>) -> Self {
        let is_error = content.is_error();
        let payload = content.bytes().map(|plain| Payload { bytes: plain.into(), from: 0 });
        Self { payload, is_error, head: None, age: Age::Fresh }
    }

    /// A value that was read from `register`.
    pub(crate) fn found(register: Bytes, found: FoundValue, age: Age) -> Self {
        let head = Head::from_bytes(&register);
        let payload = match found.payload {
            Place::At(from) => Some(Payload { bytes: register, from }),
            Place::Expanded(bytes) => Some(Payload { bytes, from: 0 }),
            Place::None => None,
        };
        Self { payload, is_error: found.is_error, head, age }
    }

    /// The encoded value.
    pub(crate) fn content(&self) -> Content<&[u8]> {
        let Some(payload) = &self.payload else { return Content::None };
        let bytes = &payload.bytes[payload.from..];
        if self.is_error { Content::Error(bytes) } else { Content::Value(bytes) }
    }
}

/// What a register holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Register {
    Lease(Head),
    Value(FoundValue),
    Invalid(MissReason),
}

/// A value in an undamaged register.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FoundValue {
    pub(crate) payload: Place,
    /// The payload is an error.
    pub(crate) is_error: bool,
    /// `None`: the value is fresh as long as it exists.
    pub(crate) times: Option<Times>,
    /// The tags that must still have the same stamps.
    pub(crate) recorded: TagRecord,
}

/// Where the payload of a value is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the register, from this offset on.
    At(usize),
    /// It was compressed, and these are its expanded bytes.
    Expanded(Bytes),
    /// The value is a `None`.
    None,
}

/// What a value has to match to be used, and the limit of its size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expectation<'a> {
    pub(crate) key: &'a str,
    /// The codec; with [`ERROR`] if an error is expected.
    pub(crate) codec: u8,
    pub(crate) fingerprint: u64,
    /// The most a compressed payload may expand to, in bytes.
    pub(crate) max_payload: usize,
}

/// Reads a register.
pub(crate) fn read(bytes: &Bytes, expected: Expectation<'_>) -> Register {
    match bytes.first() {
        Some(b'L') if Head::is_lease(bytes) => {
            Head::from_bytes(bytes).map_or(Register::Invalid(MissReason::Foreign), Register::Lease)
        }
        Some(b'V') if bytes.len() < PAYLOAD => Register::Invalid(MissReason::Truncated),
        Some(b'V') => match read_value(bytes, expected) {
            Ok(found) => Register::Value(found),
            Err(reason) => Register::Invalid(reason),
        },
        _ => Register::Invalid(MissReason::Foreign),
    }
}

fn read_value(bytes: &Bytes, expected: Expectation<'_>) -> Result<FoundValue, MissReason> {
    let kind = bytes[Head::LEN];
    let (flags, codec) = (kind & !CODEC_MASK, kind & CODEC_MASK);
    let (is_tagged, is_timed) = (flags & FLAG_TAGS != 0, flags & FLAG_TIMES != 0);
    let flags = flags & !(FLAG_TAGS | FLAG_TIMES);
    if ![0, FLAG_NONE, FLAG_LZ4].contains(&flags) {
        return Err(MissReason::Version);
    }
    if codec != expected.codec || bytes[Head::LEN + 1..CHECK] != expected.fingerprint.to_le_bytes()[..2] {
        return Err(MissReason::Type);
    }
    let rest = &bytes[PAYLOAD..];
    if bytes[CHECK..PAYLOAD] != check(expected.key, kind, expected.fingerprint, rest).to_le_bytes() {
        return Err(MissReason::Corrupt);
    }
    let times = if is_timed { Some(Times::read(rest)?) } else { None };
    let from = if is_timed { PAYLOAD + Times::LEN } else { PAYLOAD };
    let (recorded, from) = if is_tagged { TagRecord::read(bytes, from)? } else { (TagRecord::default(), from) };
    let payload = match flags {
        FLAG_NONE => Place::None,
        FLAG_LZ4 => Place::Expanded(expand(&bytes[from..], expected.max_payload)?),
        _ => Place::At(from),
    };
    let is_error = codec & ERROR != 0;
    if is_error && payload == Place::None {
        return Err(MissReason::Version);
    }
    Ok(FoundValue { payload, is_error, times, recorded })
}

/// The parts of a register that holds a value.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) key: &'a str,
    pub(crate) head: Head,
    pub(crate) codec: u8,
    /// Errors have another one than values.
    pub(crate) fingerprint: u64,
    pub(crate) content: Content<&'a [u8]>,
    pub(crate) times: Option<Times>,
    pub(crate) recorded: &'a TagRecord,
    /// Payloads of at least this many bytes are compressed, if that makes them smaller.
    pub(crate) compress_above: usize,
}

/// Writes a register that holds a value.
pub(crate) fn write(draft: &Draft<'_>) -> Bytes {
    let (flags, payload) = match draft.content.bytes() {
        None => (FLAG_NONE, PackedPayload::Plain(&[])),
        Some(plain) => compress(plain, draft.compress_above),
    };
    let codec = if draft.content.is_error() { draft.codec | ERROR } else { draft.codec };
    let is_tagged = !draft.recorded.is_empty();
    let tags = if is_tagged { FLAG_TAGS } else { 0 };
    let timed = if draft.times.is_some() { FLAG_TIMES } else { 0 };
    let (kind, payload) = (flags | codec | tags | timed, payload.as_slice());
    let times_len = draft.times.map_or(0, |_| Times::LEN);
    let tags_len = if is_tagged { draft.recorded.len() } else { 0 };
    let mut out = Vec::with_capacity(PAYLOAD + times_len + tags_len + payload.len());
    out.put_slice(draft.head.as_bytes());
    out.put_u8(kind);
    out.put_slice(&draft.fingerprint.to_le_bytes()[..2]);
    // Space for the check, which covers what is written below.
    out.put_u32_le(0);
    if let Some(times) = draft.times {
        times.write(&mut out);
    }
    if is_tagged {
        draft.recorded.write(&mut out);
    }
    out.put_slice(payload);
    let check = check(draft.key, kind, draft.fingerprint, &out[PAYLOAD..]);
    out[CHECK..PAYLOAD].copy_from_slice(&check.to_le_bytes());
    out.into()
}

/// The times in a register, which is not checked for damage.
pub(crate) fn times(register: &[u8]) -> Option<Times> {
    let kind = register.get(Head::LEN)?;
    if kind & FLAG_TIMES == 0 {
        return None;
    }
    Times::read(register.get(PAYLOAD..)?).ok()
}

fn check(key: &str, kind: u8, fingerprint: u64, rest: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(key.as_bytes());
    crc.update(&[0, kind]);
    crc.update(&fingerprint.to_le_bytes());
    crc.update(rest);
    crc.finalize()
}

enum PackedPayload<'a> {
    Plain(&'a [u8]),
    #[cfg(feature = "lz4")]
    Compressed(Vec<u8>),
}

impl PackedPayload<'_> {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) => bytes,
            #[cfg(feature = "lz4")]
            Self::Compressed(bytes) => bytes,
        }
    }
}

#[cfg(feature = "lz4")]
fn compress(plain: &[u8], above: usize) -> (u8, PackedPayload<'_>) {
    if plain.len() >= above {
        let compressed = lz4_flex::block::compress_prepend_size(plain);
        if compressed.len() < plain.len() {
            return (FLAG_LZ4, PackedPayload::Compressed(compressed));
        }
    }
    (0, PackedPayload::Plain(plain))
}

#[cfg(not(feature = "lz4"))]
fn compress(plain: &[u8], _: usize) -> (u8, PackedPayload<'_>) {
    (0, PackedPayload::Plain(plain))
}

/// Expands into a buffer of the announced size. The size is checked first, so a forged one allocates nothing.
#[cfg(feature = "lz4")]
fn expand(compressed: &[u8], max: usize) -> Result<Bytes, MissReason> {
    let (size, block) = lz4_flex::block::uncompressed_size(compressed).map_err(|_| MissReason::Corrupt)?;
    if size > max {
        return Err(MissReason::TooLarge);
    }
    let mut out = vec![0; size];
    match lz4_flex::block::decompress_into(block, &mut out) {
        Ok(written) if written == size => Ok(out.into()),
        _ => Err(MissReason::Corrupt),
    }
}

#[cfg(not(feature = "lz4"))]
fn expand(_: &[u8], _: usize) -> Result<Bytes, MissReason> {
    Err(MissReason::Version)
}

#[cfg(test)]
mod tests;
