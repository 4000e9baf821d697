//! What stands under a key: one register, which holds a lease or a value.
//!
//! ```text
//! lease   'L' id[16]
//! value   'V' stamp[16] | format[1] codec+flags[1] checksum[4] fingerprint[8] fresh_until_ms[6] load_us[4] tags[1]
//!                       | stamp[16] per tag | payload
//! ```
//!
//! The first 17 bytes are the register's *head*. Numbers are little-endian. Reading is total: whatever the bytes are,
//! the answer is a lease, a value, or the reason why it is neither.
//!
//! The checksum (CRC-32) runs over the key and all that follows it. Damaged bytes can be perfectly good JSON, and so can
//! bytes that a `RENAME`, a restored dump or a connection out of step brought from another key; none of them is served.

use crate::reason::MissReason;
use bytes::{BufMut, Bytes};
use std::time::Duration;

/// Layout version of the header.
const FORMAT: u8 = 1;
/// Length of the fixed part behind the head.
const HEADER: usize = 25;
/// Where the bytes begin that the checksum covers.
const CHECKED_FROM: usize = Head::LEN + 2 + 4;
const STAMP: usize = 16;

/// Low bits of the codec byte.
const CODEC_MASK: u8 = 0x0f;
/// The value is a `None`; there is no payload.
const FLAG_NONE: u8 = 0x10;
/// The payload is LZ4 with its expanded size in front.
const FLAG_LZ4: u8 = 0x20;

/// The first 17 bytes of a register: what every comparison in the protocol compares. One letter, `L` for a lease and `V`
/// for a value, and 128 random bits.
///
/// ```
/// use cached_core::store::Head;
///
/// let register = b"V0123456789abcdef and then the rest of the value";
/// let head = Head::from_bytes(register).unwrap();
/// assert_eq!(head.as_bytes(), &register[..Head::LEN]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head([u8; Self::LEN]);

impl Head {
    /// Its length in bytes.
    pub const LEN: usize = 17;

    /// A lease's head from 128 random bits.
    pub(crate) fn lease(id: u128) -> Self {
        Self::tagged(b'L', id)
    }

    /// A value's head from 128 random bits.
    pub(crate) fn value(stamp: u128) -> Self {
        Self::tagged(b'V', stamp)
    }

    fn tagged(kind: u8, id: u128) -> Self {
        let mut head = [kind; Self::LEN];
        head[1..].copy_from_slice(&id.to_le_bytes());
        Self(head)
    }

    /// The head of a register; `None` if it has fewer than [`Head::LEN`] bytes or is neither lease nor value.
    ///
    /// ```
    /// use cached_core::store::Head;
    ///
    /// assert!(Head::from_bytes(b"V0123").is_none());
    /// assert!(Head::from_bytes(b"an entry of some other program").is_none());
    /// ```
    #[must_use]
    pub fn from_bytes(register: &[u8]) -> Option<Self> {
        let head = *register.first_chunk()?;
        matches!(head[0], b'L' | b'V').then_some(Self(head))
    }

    /// The bytes as they stand in the register, [`Head::LEN`] of them.
    ///
    /// ```
    /// use cached_core::store::Head;
    ///
    /// assert_eq!(Head::from_bytes(b"L0123456789abcdef").unwrap().as_bytes(), b"L0123456789abcdef");
    /// ```
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `register` is a lease (anyone's), not a value.
    ///
    /// ```
    /// use cached_core::store::Head;
    ///
    /// assert!(Head::is_lease(b"L0123456789abcdef"));
    /// assert!(!Head::is_lease(b"V0123456789abcdef and then the rest of the value"));
    /// ```
    #[must_use]
    pub fn is_lease(register: &[u8]) -> bool {
        register.len() == Self::LEN && register[0] == b'L'
    }
}

/// A value as it is stored, its payload not yet decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `None` stands for a `None` that was cached.
    pub(crate) payload: Option<Bytes>,
    /// The register it was read from; `None` if it was loaded in this process.
    pub(crate) register: Option<Bytes>,
}

/// What a register turned out to hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Register {
    Lease(Head),
    Value(Entry),
    Invalid(MissReason),
}

/// What a value needs to match in order to be used, and what bounds it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) key: &'a str,
    pub(crate) codec: u8,
    pub(crate) fingerprint: u64,
    /// The most a compressed payload may expand to, in bytes.
    pub(crate) max_payload: usize,
}

/// Reads a register.
pub(crate) fn read(bytes: &Bytes, expected: Expected<'_>) -> Register {
    match bytes.first() {
        Some(b'L') if Head::is_lease(bytes) => {
            Head::from_bytes(bytes).map_or(Register::Invalid(MissReason::Foreign), Register::Lease)
        }
        Some(b'V') if bytes.len() < Head::LEN + HEADER => Register::Invalid(MissReason::Truncated),
        Some(b'V') => match read_value(bytes, expected) {
            Ok(entry) => Register::Value(entry),
            Err(reason) => Register::Invalid(reason),
        },
        _ => Register::Invalid(MissReason::Foreign),
    }
}

fn read_value(bytes: &Bytes, expected: Expected<'_>) -> Result<Entry, MissReason> {
    let header = &bytes[Head::LEN..];
    if header[0] != FORMAT {
        return Err(MissReason::Version);
    }
    let (flags, codec) = (header[1] & !CODEC_MASK, header[1] & CODEC_MASK);
    if header[2..6] != checksum(expected.key, flags | codec, &bytes[CHECKED_FROM..]).to_le_bytes() {
        return Err(MissReason::Corrupt);
    }
    if header[6..14] != expected.fingerprint.to_le_bytes() || codec != expected.codec {
        return Err(MissReason::Type);
    }
    let payload_at = Head::LEN + HEADER + usize::from(header[24]) * STAMP;
    if payload_at > bytes.len() {
        return Err(MissReason::Truncated);
    }
    let payload = match flags {
        0 => Some(bytes.slice(payload_at..)),
        FLAG_NONE => None,
        FLAG_LZ4 => Some(expand(&bytes[payload_at..], expected.max_payload)?),
        _ => return Err(MissReason::Version),
    };
    Ok(Entry { payload, register: Some(bytes.clone()) })
}

/// What a register is made of.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) key: &'a str,
    pub(crate) head: Head,
    pub(crate) codec: u8,
    pub(crate) fingerprint: u64,
    pub(crate) fresh_until_ms: u64,
    pub(crate) load_time: Duration,
    pub(crate) payload: Option<&'a [u8]>,
    /// Compress payloads of at least so many bytes, if that makes them smaller.
    pub(crate) compress_above: usize,
}

/// Writes a register that holds a value.
pub(crate) fn write(draft: &Draft<'_>) -> Bytes {
    let (flags, payload) = match draft.payload {
        None => (FLAG_NONE, Payload::Plain(&[])),
        Some(plain) => compress(plain, draft.compress_above),
    };
    let payload = payload.as_slice();
    let mut out = Vec::with_capacity(Head::LEN + HEADER + payload.len());
    out.put_slice(draft.head.as_bytes());
    out.put_u8(FORMAT);
    out.put_u8(flags | draft.codec);
    out.put_u32_le(0);
    out.put_u64_le(draft.fingerprint);
    out.put_uint_le(draft.fresh_until_ms.min((1 << 48) - 1), 6);
    out.put_u32_le(u32::try_from(draft.load_time.as_micros()).unwrap_or(u32::MAX));
    out.put_u8(0);
    out.put_slice(payload);
    let sum = checksum(draft.key, flags | draft.codec, &out[CHECKED_FROM..]);
    out[CHECKED_FROM - 4..CHECKED_FROM].copy_from_slice(&sum.to_le_bytes());
    out.into()
}

fn checksum(key: &str, codec_and_flags: u8, rest: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(key.as_bytes());
    crc.update(&[0, codec_and_flags]);
    crc.update(rest);
    crc.finalize()
}

enum Payload<'a> {
    Plain(&'a [u8]),
    #[cfg(feature = "lz4")]
    Compressed(Vec<u8>),
}

impl Payload<'_> {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) => bytes,
            #[cfg(feature = "lz4")]
            Self::Compressed(bytes) => bytes,
        }
    }
}

#[cfg(feature = "lz4")]
fn compress(plain: &[u8], above: usize) -> (u8, Payload<'_>) {
    if plain.len() >= above {
        let compressed = lz4_flex::block::compress_prepend_size(plain);
        if compressed.len() < plain.len() {
            return (FLAG_LZ4, Payload::Compressed(compressed));
        }
    }
    (0, Payload::Plain(plain))
}

#[cfg(not(feature = "lz4"))]
fn compress(plain: &[u8], _: usize) -> (u8, Payload<'_>) {
    (0, Payload::Plain(plain))
}

/// Expands into a buffer of the announced size, which is checked first: a forged size allocates nothing.
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EXPECTED: Expected<'static> = Expected { key: "n:v1:k", codec: 0, fingerprint: 7, max_payload: 1 << 20 };

    fn draft(payload: Option<&[u8]>) -> Draft<'_> {
        Draft {
            key: "n:v1:k",
            head: Head::value(42),
            codec: 0,
            fingerprint: 7,
            fresh_until_ms: 1_000,
            load_time: Duration::from_millis(3),
            payload,
            compress_above: 1_000,
        }
    }

    fn payload_of(register: Register) -> Option<Bytes> {
        match register {
            Register::Value(entry) => entry.payload,
            other => panic!("not a value: {other:?}"),
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = write(&draft(Some(b"{\"a\":1}")));
        assert_eq!(payload_of(read(&bytes, EXPECTED)).unwrap(), "{\"a\":1}");
        assert_eq!(&bytes[..Head::LEN], Head::value(42).as_bytes());
        assert_eq!(payload_of(read(&write(&draft(None)), EXPECTED)), None);
        let lease = Bytes::copy_from_slice(Head::lease(1).as_bytes());
        assert_eq!(read(&lease, EXPECTED), Register::Lease(Head::lease(1)));
    }

    #[test]
    fn every_mismatch_has_its_reason() {
        let good = write(&draft(Some(b"1")));
        let reason = |bytes: &[u8], expected| match read(&Bytes::copy_from_slice(bytes), expected) {
            Register::Invalid(reason) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(b"", EXPECTED), MissReason::Foreign);
        assert_eq!(reason(b"hello", EXPECTED), MissReason::Foreign);
        assert_eq!(reason(b"Lxx", EXPECTED), MissReason::Foreign);
        assert_eq!(reason(&good[..30], EXPECTED), MissReason::Truncated);
        assert_eq!(reason(&good, Expected { fingerprint: 8, ..EXPECTED }), MissReason::Type);
        assert_eq!(reason(&good, Expected { codec: 1, ..EXPECTED }), MissReason::Type);
        assert_eq!(reason(&good, Expected { key: "n:v1:other", ..EXPECTED }), MissReason::Corrupt);
        let mut other_format = good.to_vec();
        other_format[Head::LEN] = 9;
        assert_eq!(reason(&other_format, EXPECTED), MissReason::Version);
    }

    #[test]
    fn no_flipped_bit_behind_the_stamp_goes_unseen() {
        let good = write(&draft(Some(b"{\"price\":100}")));
        for bit in (Head::LEN * 8)..(good.len() * 8) {
            let mut bytes = good.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(read(&bytes.into(), EXPECTED), Register::Invalid(_)), "bit {bit}");
        }
    }

    #[cfg(feature = "lz4")]
    #[test]
    fn compression_is_bounded_on_the_way_back() {
        let plain = vec![b'a'; 100_000];
        let bytes = write(&draft(Some(&plain)));
        assert!(bytes.len() < 2_000);
        assert_eq!(payload_of(read(&bytes, EXPECTED)).unwrap(), plain);
        let narrow = Expected { max_payload: 99_999, ..EXPECTED };
        assert_eq!(read(&bytes, narrow), Register::Invalid(MissReason::TooLarge));
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0..3) {
            let mut bytes = bytes;
            if let (Some(first), 1..) = (bytes.first_mut(), kind) {
                *first = if kind == 1 { b'V' } else { b'L' };
            }
            let is_value = matches!(read(&bytes.into(), EXPECTED), Register::Value(_));
            prop_assert!(!is_value);
        }
    }
}
