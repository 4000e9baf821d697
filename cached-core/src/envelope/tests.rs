use super::*;
use proptest::prelude::*;

const EXPECTED: Expectation<'static> = Expectation { key: "n:k:k", codec: 0, fingerprint: 7, max_payload: 1 << 20 };

static UNTAGGED: TagRecord = TagRecord::NONE;

fn draft(value: Option<&[u8]>) -> Draft<'_> {
    let (key, head, content) = ("n:k:k", Head::value(42), Content::of(value));
    Draft { key, head, codec: 0, fingerprint: 7, content, times: None, recorded: &UNTAGGED, compress_above: 1_000 }
}

fn payload_of(register: &Bytes) -> Option<Vec<u8>> {
    match read(register, EXPECTED) {
        Register::Value(found) => {
            Entry::found(register.clone(), found, Age::Fresh).content().bytes().map(<[u8]>::to_vec)
        }
        other => panic!("not a value: {other:?}"),
    }
}

#[test]
fn a_register_is_read_as_it_was_written() {
    let bytes = write(&draft(Some(b"{\"a\":1}")));
    assert_eq!(payload_of(&bytes).unwrap(), b"{\"a\":1}");
    assert_eq!(&bytes[..Head::LEN], Head::value(42).as_bytes());
    assert_eq!(payload_of(&write(&draft(None))), None);
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
    assert_eq!(reason(b"L0123456789abcdef and more", EXPECTED), MissReason::Foreign);
    assert_eq!(reason(&good[..PAYLOAD - 1], EXPECTED), MissReason::Truncated);
    assert_eq!(reason(&good[..PAYLOAD], EXPECTED), MissReason::Corrupt);
    assert_eq!(reason(&good, Expectation { fingerprint: 8, ..EXPECTED }), MissReason::Type);
    assert_eq!(reason(&good, Expectation { codec: 1, ..EXPECTED }), MissReason::Type);
    assert_eq!(reason(&good, Expectation { key: "n:k:other", ..EXPECTED }), MissReason::Corrupt);
    // Only two bytes of the fingerprint are stored; the check covers the others.
    assert_eq!(reason(&good, Expectation { fingerprint: 7 + (1 << 16), ..EXPECTED }), MissReason::Corrupt);
    let mut other_version = good.to_vec();
    other_version[Head::LEN] |= FLAG_NONE | FLAG_LZ4;
    assert_eq!(reason(&other_version, EXPECTED), MissReason::Version);
}

#[test]
fn every_flipped_bit_behind_the_stamp_is_noticed() {
    let good = write(&draft(Some(b"{\"price\":100}")));
    for bit in (Head::LEN * 8)..(good.len() * 8) {
        let mut bytes = good.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(read(&bytes.into(), EXPECTED), Register::Invalid(_)), "bit {bit}");
    }
}

#[cfg(feature = "lz4")]
#[test]
fn a_compressed_payload_expands_to_its_limit_and_no_further() {
    let plain = vec![b'a'; 100_000];
    let bytes = write(&draft(Some(&plain)));
    assert!(bytes.len() < 2_000);
    assert_eq!(payload_of(&bytes).unwrap(), plain);
    let narrow = Expectation { max_payload: 99_999, ..EXPECTED };
    assert_eq!(read(&bytes, narrow), Register::Invalid(MissReason::TooLarge));
}

#[test]
fn a_head_belongs_to_a_lease_or_a_value() {
    let lease = Head::lease(0x0102);
    assert_eq!(lease.as_bytes(), b"L\x02\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    assert_eq!(Head::from_bytes(lease.as_bytes()), Some(lease));
    assert_eq!(Head::from_bytes(b"V0123456789abcdef and more").unwrap().as_bytes(), b"V0123456789abcdef");
    assert_eq!(Head::from_bytes(b"V0123456789abcde"), None, "one byte short");
    assert_eq!(Head::from_bytes(b"X0123456789abcdef"), None);
    assert!(Head::is_lease(lease.as_bytes()));
    assert!(!Head::is_lease(Head::value(1).as_bytes()));
    assert!(!Head::is_lease(b"L0123456789abcdef and more"));
}

#[test]
fn an_entry_has_the_head_of_the_register_it_was_read_from() {
    let register = write(&draft(Some(b"1")));
    let found = |register: &Bytes| match read(register, EXPECTED) {
        Register::Value(found) => Entry::found(register.clone(), found, Age::Fresh),
        other => panic!("not a value: {other:?}"),
    };
    assert_eq!(found(&register).head, Some(Head::value(42)));
    let loaded = Entry::loaded(Content::Value(b"1".to_vec()));
    assert_eq!((loaded.content().bytes(), loaded.head), (Some(&b"1"[..]), None));
    assert_eq!(Entry::loaded(Content::None).content().bytes(), None);
}

#[test]
fn codecs_and_flags_do_not_overlap() {
    for codec in 0..ERROR {
        for payload in [None, Some(&b"1"[..]), Some(&[b'a'; 2_000])] {
            let bytes = write(&Draft { codec, ..draft(payload) });
            let Register::Value(found) = read(&bytes, Expectation { codec, ..EXPECTED }) else { panic!("{codec}") };
            assert_eq!(Entry::found(bytes, found, Age::Fresh).content().bytes(), payload);
        }
    }
}

#[test]
fn an_error_is_never_read_as_a_value_nor_a_value_as_an_error() {
    let error = Expectation { codec: ERROR, fingerprint: 9, ..EXPECTED };
    let reason = |register: &Bytes, expected| match read(register, expected) {
        Register::Invalid(reason) => reason,
        other => panic!("{other:?}"),
    };
    for payload in [&b"1"[..], &[b'a'; 2_000]] {
        let value = write(&draft(Some(payload)));
        let stored = write(&Draft { content: Content::Error(payload), fingerprint: 9, ..draft(None) });
        let Register::Value(found) = read(&stored, error) else { panic!("not an error") };
        assert_eq!(Entry::found(stored.clone(), found, Age::Fresh).content(), Content::Error(payload));
        // For builds that do not know the bit, and for sites that store no errors, it is a value of another type.
        assert_eq!(reason(&stored, EXPECTED), MissReason::Type);
        assert_eq!(reason(&stored, Expectation { fingerprint: 9, ..EXPECTED }), MissReason::Type);
        assert_eq!(reason(&value, error), MissReason::Type);
        assert_eq!(reason(&value, Expectation { fingerprint: 7, ..error }), MissReason::Type);
        // Changing only the bit does not make a value of an error: the check covers it.
        let mut flipped = value.to_vec();
        flipped[Head::LEN] ^= ERROR;
        assert_eq!(reason(&flipped.into(), Expectation { fingerprint: 7, ..error }), MissReason::Corrupt);
    }
    let mut without = write(&draft(None)).to_vec();
    without[Head::LEN] |= ERROR;
    let sum = check(EXPECTED.key, without[Head::LEN], 7, &without[PAYLOAD..]);
    without[CHECK..PAYLOAD].copy_from_slice(&sum.to_le_bytes());
    assert_eq!(reason(&without.into(), Expectation { fingerprint: 7, ..error }), MissReason::Version);
}

#[test]
fn a_value_may_be_empty() {
    assert_eq!(payload_of(&write(&draft(Some(b"")))).unwrap(), b"");
}

#[test]
fn tags_stand_in_front_of_any_payload_and_are_checked_with_it() {
    let recorded = TagRecord::new(&[Head::value(1)], [("t:author:7".into(), Head::value(2))]);
    for payload in [None, Some(&b"1"[..]), Some(&[b'a'; 2_000])] {
        let bytes = write(&Draft { recorded: &recorded, ..draft(payload) });
        let Register::Value(found) = read(&bytes, EXPECTED) else { panic!("not a value") };
        assert_eq!(found.recorded, recorded);
        assert_eq!(Entry::found(bytes.clone(), found, Age::Fresh).content().bytes(), payload);
        for at in Head::LEN..bytes.len() {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= 1;
            assert!(matches!(read(&bytes.into(), EXPECTED), Register::Invalid(_)), "byte {at}");
        }
    }
}

#[test]
fn times_stand_in_front_of_tags_and_are_checked_with_them() {
    let times = Times { fresh_until: 1_600_000_000_123, load_time: u32::MAX };
    let tagged = TagRecord::new(&[Head::value(1)], [("t:author:7".into(), Head::value(2))]);
    for recorded in [&UNTAGGED, &tagged] {
        for payload in [None, Some(&b"1"[..]), Some(&[b'a'; 2_000])] {
            let bytes = write(&Draft { recorded, times: Some(times), ..draft(payload) });
            let Register::Value(found) = read(&bytes, EXPECTED) else { panic!("not a value") };
            assert_eq!((found.times, &found.recorded), (Some(times), recorded));
            assert_eq!(super::times(&bytes), Some(times));
            assert_eq!(Entry::found(bytes.clone(), found, Age::Fresh).content().bytes(), payload);
            for at in Head::LEN..bytes.len() {
                let mut bytes = bytes.to_vec();
                bytes[at] ^= 1;
                assert!(matches!(read(&bytes.into(), EXPECTED), Register::Invalid(_)), "byte {at}");
            }
        }
    }
    assert_eq!(super::times(&write(&draft(Some(b"1")))), None);
}

#[test]
fn times_that_are_cut_off_are_refused() {
    // The check is right, but there are fewer bytes than the kind announces.
    for len in 0..Times::LEN {
        let rest = vec![0; len];
        let sum = check(EXPECTED.key, FLAG_TIMES, EXPECTED.fingerprint, &rest).to_le_bytes();
        let bytes = [Head::value(1).as_bytes(), &[FLAG_TIMES], &7u16.to_le_bytes(), &sum, &rest].concat();
        assert_eq!(read(&bytes.into(), EXPECTED), Register::Invalid(MissReason::Truncated));
    }
}

#[test]
fn flags_that_exclude_each_other_belong_to_another_version() {
    let mut bytes = write(&draft(None)).to_vec();
    bytes[Head::LEN] = FLAG_NONE | FLAG_LZ4;
    assert_eq!(read(&bytes.into(), EXPECTED), Register::Invalid(MissReason::Version));
}

#[cfg(feature = "lz4")]
#[test]
fn a_payload_is_compressed_only_if_it_is_large_and_becomes_smaller() {
    let is_compressed = |payload: &[u8]| write(&draft(Some(payload)))[Head::LEN] == FLAG_LZ4;
    assert!(!is_compressed(&[b'a'; 999]));
    assert!(is_compressed(&[b'a'; 1_000]));

    // Longer and longer runs after bytes that do not repeat, until the compressed form is as large as the plain one.
    let with_run = |run: usize| (0..=255).chain(std::iter::repeat_n(255, run)).collect::<Vec<u8>>();
    let gain = |plain: &[u8]| plain.len().cmp(&lz4_flex::block::compress_prepend_size(plain).len());
    let plain = (0..100).map(with_run).find(|plain| gain(plain).is_eq()).expect("a run of that length");
    assert_eq!(compress(&plain, 0).0, 0, "nothing is gained");
    let plain = (0..100).map(with_run).find(|plain| gain(plain).is_gt()).expect("a run of that length");
    assert_eq!(compress(&plain, 0).0, FLAG_LZ4);
}

#[cfg(feature = "lz4")]
#[test]
fn a_payload_that_expands_to_another_size_than_announced_is_refused() {
    let compressed = lz4_flex::block::compress_prepend_size(&[b'a'; 1_000]);
    assert_eq!(expand(&compressed, 1_000).unwrap(), vec![b'a'; 1_000]);
    assert_eq!(expand(&compressed, 999), Err(MissReason::TooLarge));
    for announced in [0_u32, 999, 1_001] {
        let forged = [&announced.to_le_bytes(), &compressed[4..]].concat();
        assert_eq!(expand(&forged, 2_000), Err(MissReason::Corrupt), "{announced}");
    }
    assert_eq!(expand(&compressed[..3], 1_000), Err(MissReason::Corrupt));
}

proptest! {
    #[test]
    fn random_bytes_are_never_a_value(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0..3) {
        let mut bytes = bytes;
        if let (Some(first), 1..) = (bytes.first_mut(), kind) {
            *first = if kind == 1 { b'V' } else { b'L' };
        }
        let is_value = matches!(read(&bytes.into(), EXPECTED), Register::Value(_));
        prop_assert!(!is_value);
    }
}
