//! Reading a register: any bytes have an answer, reading allocates no more than it may, what was written is read back,
//! and nothing else is ever served in its place.
#![no_main]

use arbitrary::Arbitrary;
use bytes::Bytes;
use cached_core::fuzzing::{Identity, MAX_TAGS, Read, Tags, read, times, write};
use libfuzzer_sys::fuzz_target;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static ALLOCATED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The length of the head: kind and stamp. The stamp is not part of the value; if it is damaged, only a comparison
/// fails.
const HEAD: usize = 17;
/// Two bytes of the fingerprint; the checksum covers all of it.
const FINGERPRINT: std::ops::Range<usize> = HEAD + 1..HEAD + 3;
const CHECKSUM: std::ops::Range<usize> = HEAD + 3..HEAD + 7;
const HEADER_END: usize = CHECKSUM.end;
/// Reference counts and the like, beside the payload.
const BOOKKEEPING: usize = 256;
/// The size of a named tag beside its name; twice that while the list grows.
const NAMED: usize = 64;

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    /// Bytes from anywhere.
    Foreign { key: &'a str, codec: u8, fingerprint: u64, max_payload: u16, register: &'a [u8] },
    /// Anything behind a correct header and checksum, which the fuzzer would not find by itself.
    Forged { key: &'a str, kind: u8, fingerprint: u64, max_payload: u16, rest: &'a [u8] },
    /// A written register, whole and then damaged.
    Written {
        key: &'a str,
        other_key: &'a str,
        codec: u8,
        fingerprint: u64,
        stamp: u128,
        payload: Option<&'a [u8]>,
        fresh: Option<(u64, u32)>,
        told: Vec<u128>,
        named: Vec<(&'a str, u128)>,
        /// Makes payloads that compress.
        repeat: u8,
        compress_above: u16,
        damage: Damage<'a>,
    },
}

#[derive(Arbitrary, Debug)]
enum Damage<'a> {
    /// Up to three bits, anywhere.
    Bits([u16; 3]),
    /// Up to 32 bits in a row.
    Burst {
        at: u16,
        mask: u32,
    },
    Cut(u16),
    Append(&'a [u8]),
    Overwrite {
        at: u16,
        with: &'a [u8],
    },
}

fuzz_target!(|input: Input<'_>| {
    match input {
        Input::Foreign { key, codec, fingerprint, max_payload, register } => {
            let of = Identity { key, codec: codec & 0x0f, fingerprint };
            checked(&Bytes::copy_from_slice(register), of, max_payload.into());
        }
        Input::Forged { key, kind, fingerprint, max_payload, rest } => {
            let mut register = vec![b'V'; HEADER_END];
            register[HEAD] = kind;
            register[FINGERPRINT].copy_from_slice(&fingerprint.to_le_bytes()[..2]);
            register.extend_from_slice(rest);
            let of = Identity { key, codec: kind & 0x0f, fingerprint };
            let sum = checksum(of, &register);
            register[CHECKSUM].copy_from_slice(&sum.to_le_bytes());
            checked(&register.into(), of, max_payload.into());
        }
        Input::Written {
            key,
            other_key,
            codec,
            fingerprint,
            stamp,
            payload,
            fresh,
            told,
            named,
            repeat,
            compress_above,
            damage,
        } => {
            // A `None` is no error, whose bit is 8.
            let of = Identity { key, codec: codec & if payload.is_some() { 0x0f } else { 0x07 }, fingerprint };
            let payload = payload.map(|bytes| bytes.repeat(1 + usize::from(repeat)));
            // No name is longer than a key.
            let named: Vec<_> = named.into_iter().filter(|(name, _)| name.len() <= 512).take(MAX_TAGS).collect();
            let tags = Tags { call: &told[..told.len().min(MAX_TAGS)], value: &named };
            let register = write(of, stamp, payload.as_deref(), fresh, tags, compress_above.into());
            let max = payload.as_ref().map_or(0, Vec::len);
            assert_eq!(checked(&register, of, max), Read::Value(payload.clone().map(Bytes::from)));
            assert!(tags.are_recorded(&register, of, max));
            assert_eq!(times(&register, of, max), fresh);

            refused(&register, Identity { fingerprint: fingerprint ^ 1, ..of }, max);
            // A part of the fingerprint that the register does not store.
            refused(&register, Identity { fingerprint: fingerprint ^ (1 << 40), ..of }, max);
            refused(&register, Identity { codec: of.codec ^ 1, ..of }, max);
            let other = Identity { key: other_key, ..of };
            if checksum(other, &register) != checksum(of, &register) {
                refused(&register, other, max);
            }
            damaged(&register, of, max, &damage);
        }
    }
});

/// Reads within the bound on memory, and checks a value against the description of the format.
fn checked(register: &Bytes, of: Identity<'_>, max_payload: usize) -> Read {
    let region = Region::new(ALLOCATED);
    let answer = read(register, of, max_payload);
    let allocated = region.change().bytes_allocated;
    let names = if is_tagged(register) { register.len() + usize::from(u8::MAX) * NAMED } else { 0 };
    let most = max_payload + BOOKKEEPING + names;
    assert!(allocated <= most, "{allocated} bytes for a payload of at most {max_payload}");
    if let Read::Value(payload) = &answer {
        assert_eq!(payload.as_deref(), described(register, of, max_payload).as_deref());
    }
    answer
}

/// The payload of a valid register.
fn described(register: &[u8], of: Identity<'_>, max_payload: usize) -> Option<Vec<u8>> {
    assert_eq!(register[0], b'V');
    assert_eq!(register[CHECKSUM], checksum(of, register).to_le_bytes());
    assert_eq!(register[FINGERPRINT], of.fingerprint.to_le_bytes()[..2]);
    assert_eq!(register[HEAD] & 0x0f, of.codec);
    let mut payload = &register[HEADER_END..];
    if register[HEAD] & 0x80 != 0 {
        // Until when it is fresh, and how long it took to load.
        payload = payload.get(12..).expect("both times");
    }
    if is_tagged(register) {
        payload = behind_tags(payload).expect("sound tags");
    }
    match register[HEAD] & 0x30 {
        0x00 => Some(payload.to_vec()),
        0x10 => None,
        0x20 => {
            let (size, block) = payload.split_first_chunk().expect("the size in front");
            let size = u32::from_le_bytes(*size) as usize;
            assert!(size <= max_payload, "{size} bytes");
            let expanded = lz4_flex::block::decompress(block, size).expect("LZ4");
            assert_eq!(expanded.len(), size);
            Some(expanded)
        }
        flags => panic!("a value with the flags {flags:#x}"),
    }
}

fn is_tagged(register: &[u8]) -> bool {
    register.get(HEAD).is_some_and(|kind| kind & 0x40 != 0)
}

/// `n stamp*n | m (length[2] name stamp)*m`, and what follows.
fn behind_tags(section: &[u8]) -> Option<&[u8]> {
    let (told, rest) = section.split_first()?;
    let (named, mut rest) = rest.get(16 * usize::from(*told)..)?.split_first()?;
    for _ in 0..*named {
        let (length, name) = rest.split_first_chunk()?;
        let length = usize::from(u16::from_le_bytes(*length));
        std::str::from_utf8(name.get(..length)?).ok()?;
        rest = name.get(length + 16..)?;
    }
    Some(rest)
}

fn checksum(of: Identity<'_>, register: &[u8]) -> u32 {
    let fingerprint = of.fingerprint.to_le_bytes();
    crc32fast::hash(&[of.key.as_bytes(), &[0, register[HEAD]], &fingerprint, &register[HEADER_END..]].concat())
}

fn refused(register: &Bytes, of: Identity<'_>, max_payload: usize) {
    let answer = checked(register, of, max_payload);
    assert!(matches!(answer, Read::Invalid(_)), "{answer:?} for {of:?}");
}

/// A register that is not as it was written is not served.
fn damaged(whole: &Bytes, of: Identity<'_>, max_payload: usize, damage: &Damage<'_>) {
    let mut bytes = whole.to_vec();
    // Whether a CRC-32 surely notices the damage; of other damage one in 2^32 passes.
    let mut sure = false;
    match *damage {
        Damage::Bits(places) => {
            for place in places {
                let bit = usize::from(place) % (bytes.len() * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            // It surely notices three bits up to this length.
            sure = bytes.len() + of.key.len() < 11_000;
        }
        Damage::Burst { at, mask } => {
            let room = bytes.len() - CHECKSUM.start - 3;
            let at = CHECKSUM.start + usize::from(at) % room;
            for (byte, mask) in bytes[at..].iter_mut().zip(mask.to_le_bytes()) {
                *byte ^= mask;
            }
            // Not if the burst runs from the checksum into what the checksum covers.
            sure = at >= CHECKSUM.end;
        }
        Damage::Cut(to) => bytes.truncate(usize::from(to) % whole.len()),
        Damage::Append(more) => bytes.extend_from_slice(more),
        Damage::Overwrite { at, with } => {
            let at = usize::from(at) % bytes.len();
            for (byte, new) in bytes[at..].iter_mut().zip(with) {
                *byte = *new;
            }
        }
    }
    let is_whole = bytes.get(HEAD..) == whole.get(HEAD..) && bytes[..1] == whole[..1];
    let passes = bytes.len() >= HEADER_END && checksum(of, &bytes).to_le_bytes() == bytes[CHECKSUM];
    let answer = checked(&bytes.into(), of, max_payload);
    if is_whole {
        assert_eq!(answer, checked(whole, of, max_payload));
    } else if sure || !passes {
        assert!(!matches!(answer, Read::Value(_)), "damaged, and served: {answer:?}");
    }
}
