//! Unusable registers.

use super::*;
use std::collections::HashMap;

/// A type that cannot be read back.
#[derive(serde::Serialize, serde::Deserialize)]
struct Unreadable {
    #[serde(rename(serialize = "n"))]
    number: u8,
}

#[tokio::test(start_paused = true)]
async fn an_unusable_register_is_counted_once_and_replaced() {
    let cases: [(&[u8], _); 3] = [
        (b"an entry of some other program", MissReason::Foreign),
        (b"short", MissReason::Foreign),
        (b"V0123456789abcdef", MissReason::Truncated),
    ];
    for (register, reason) in cases {
        let on = Subject::new();
        on.plant(register).await;
        assert_eq!(on.call(1, AT_ONCE).await, 1);
        assert_eq!(on.misses(), [(reason, 1)]);
        assert_eq!(on.call(2, AT_ONCE).await, 1);
        assert_eq!(on.stats().stored, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn data_of_another_redis_type_is_replaced() {
    let on = Subject::new();
    on.store.plan(Step::Get, [Act::Fails(FaultKind::WrongType)]);
    on.call(1, AT_ONCE).await;
    assert_eq!(on.misses(), [(MissReason::WrongType, 1)]);
    assert_eq!((on.store.count(Step::Acquire), on.stats().stored), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_does_not_decode_is_replaced() {
    let on = Subject::new();
    on.plant(&on.register_of(b"text")).await;
    assert_eq!(on.call(1, AT_ONCE).await, 1);
    assert_eq!(on.misses(), [(MissReason::Payload, 1)]);
    assert_eq!(on.call(2, AT_ONCE).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_cannot_be_read_back_is_loaded_by_each_call() {
    let on = Subject::new();
    let ask = async || {
        let load = || async {
            sleep(ms(10)).await;
            Ok::<_, ()>(Unreadable { number: 1 })
        };
        on.cache.entry("k").get_or_load(load).await.unwrap()
    };
    let ((first, second), took) = timed(async { tokio::join!(ask(), ask()) }).await;
    assert_eq!((first.number, second.number), (1, 1));
    assert_eq!(took, ms(20));
    let stats = on.stats();
    assert_eq!((stats.loads, stats.bypassed, stats.coalesced), (2, 1, 0));
    // Once for the value that it was given, and once because it runs without a lease.
    assert_eq!(stats.misses[&MissReason::Payload], 2);
    assert_eq!(on.unstored(), [(UnstoredReason::NoLease, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_call_gives_up_on_a_key_whose_payloads_never_decode() {
    let on = Subject::new();
    for _ in 0..5 {
        on.store.answer_acquire(Acquired::Value(on.register_of(b"text")));
    }
    assert_eq!(on.call(1, AT_ONCE).await, 1);
    assert_eq!(on.store.count(Step::Acquire), 3);
    assert_eq!(on.misses(), [(MissReason::Payload, 4)]);
    assert_eq!(on.stats().bypassed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_gives_up_on_a_key_that_is_always_unusable() {
    let lease = Bytes::copy_from_slice(Head::lease(1 << 16).as_bytes());
    // A lease that the store returns as a value is not counted as foreign; only the reason for the load is.
    for (register, counted) in [(Bytes::from_static(b"garbage"), 4), (lease, 1)] {
        let on = Subject::new();
        for _ in 0..5 {
            on.store.answer_acquire(Acquired::Value(register.clone()));
        }
        assert_eq!(on.call(1, AT_ONCE).await, 1);
        assert_eq!(on.store.count(Step::Acquire), 3);
        assert_eq!(on.misses(), [(MissReason::Foreign, counted)]);
        assert_eq!(on.unstored(), [(UnstoredReason::NoLease, 1)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_that_cannot_be_encoded_is_returned_and_not_shared() {
    let on = Subject::new();
    let ask = async || {
        let load = || async {
            sleep(ms(10)).await;
            // A tuple cannot be a key of a JSON object.
            Ok::<_, ()>(HashMap::from([((1, 2), 3)]))
        };
        on.cache.entry("k").get_or_load(load).await.unwrap()
    };
    let ((first, second), took) = timed(async { tokio::join!(ask(), ask()) }).await;
    assert_eq!((&first[&(1, 2)], &second[&(1, 2)]), (&3, &3));
    assert_eq!(took, ms(20));
    assert_eq!(on.misses(), [(MissReason::Absent, 1), (MissReason::LoadFailed, 1)]);
    // The second runs without a lease, and nobody wants its value: it is not even encoded.
    assert_eq!(on.unstored(), [(UnstoredReason::Encode, 1), (UnstoredReason::NoLease, 1)]);
    assert_eq!(on.stats().load_errors, 0);
}
