//! One register: leases, values, and what may take their place.

use super::Subject;
use super::steps::{On, TTL, WITHIN, lease, value};
use crate::store::{Acquire, Acquired, Head, Ping, Put, Release, Remove, Renew, Replace};
use bytes::Bytes;
use std::time::Duration;

pub async fn a_register_is_absent_leased_or_a_value(on: On<impl Subject>) {
    assert_eq!(on.get("k").await, None);
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    assert_eq!(on.get("k").await.unwrap(), lease(1).as_bytes());
    let (_, bytes) = value(1, "payload");
    assert!(on.fill("k", lease(1), &bytes).await);
    assert_eq!(on.get("k").await.unwrap(), bytes);
    assert_eq!(on.acquire("k", lease(2), TTL).await, Acquired::Value(bytes));
}

pub async fn one_lease_at_a_time(on: On<impl Subject>) {
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    let Acquired::Leased(left) = on.acquire("k", lease(2), TTL).await else { panic!("a second lease") };
    assert!(left <= TTL && left > TTL / 2, "{left:?} are left of {TTL:?}");
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted, "asking again after a broken connection");
    assert!(!on.store().release(Release::new(&"k".into(), lease(2), WITHIN)).await.unwrap(), "someone else's lease");
    assert!(on.store().release(Release::new(&"k".into(), lease(1), WITHIN)).await.unwrap());
    assert_eq!(on.acquire("k", lease(2), TTL).await, Acquired::Granted);
}

pub async fn a_value_is_released_by_its_own_head_only(on: On<impl Subject>) {
    let ((old, first), (new, second)) = (value(1, "first"), value(2, "second"));
    on.put("k", &first).await;
    assert!(!on.store().release(Release::new(&"k".into(), new, WITHIN)).await.unwrap(), "another value's");
    assert!(!on.store().release(Release::new(&"k".into(), lease(1), WITHIN)).await.unwrap(), "a lease's");
    assert_eq!(on.get("k").await.unwrap(), first);
    assert!(on.store().release(Release::new(&"k".into(), old, WITHIN)).await.unwrap());
    assert_eq!(on.get("k").await, None);
    assert!(!on.store().release(Release::new(&"k".into(), old, WITHIN)).await.unwrap(), "gone by then");
    on.put("k", &second).await;
    assert!(!on.store().release(Release::new(&"k".into(), old, WITHIN)).await.unwrap());
    assert_eq!(on.get("k").await.unwrap(), second, "a newer value stays");
}

pub async fn a_lease_dies_with_its_holder_and_lives_while_it_is_renewed(on: On<impl Subject>) {
    let short = Duration::from_millis(80);
    assert_eq!(on.acquire("k", lease(1), short).await, Acquired::Granted);
    assert!(on.store().renew(Renew::new(&"k".into(), lease(1), TTL, WITHIN)).await.unwrap());
    assert!(!on.store().renew(Renew::new(&"k".into(), lease(2), TTL, WITHIN)).await.unwrap(), "someone else's lease");
    let Acquired::Leased(left) = on.acquire("k", lease(2), TTL).await else { panic!("the renewed lease is gone") };
    assert!(left > short, "renewed to {left:?}");

    assert_eq!(on.acquire("other", lease(3), short).await, Acquired::Granted);
    on.expires("other", short).await;
    let (_, bytes) = value(1, "late");
    assert!(!on.fill("other", lease(3), &bytes).await, "its lease is over");
    assert!(!on.store().renew(Renew::new(&"other".into(), lease(3), TTL, WITHIN)).await.unwrap());
    assert_eq!(on.get("other").await, None);
}

pub async fn whatever_removes_the_register_revokes_the_fill(on: On<impl Subject>) {
    let (_, bytes) = value(1, "old");
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    assert!(on.store().remove(Remove::new(&"k".into(), WITHIN)).await.unwrap());
    assert!(!on.fill("k", lease(1), &bytes).await);
    assert_eq!(on.get("k").await, None);

    // The same with another load on its way since then: that load wins.
    assert_eq!(on.acquire("k", lease(2), TTL).await, Acquired::Granted);
    assert!(!on.fill("k", lease(1), &bytes).await);
    let (_, new) = value(2, "new");
    assert!(on.fill("k", lease(2), &new).await);
    assert_eq!(on.get("k").await.unwrap(), new);
    assert!(!on.store().remove(Remove::new(&"absent".into(), WITHIN)).await.unwrap());
}

pub async fn a_fill_compares_with_the_stamp_it_saw(on: On<impl Subject>) {
    let (old_head, old) = value(1, "old");
    let (new_head, new) = value(2, "new");
    on.put("k", &old).await;
    assert!(on.fill("k", old_head, &new).await, "a refresh of what was seen");
    assert!(on.fill("k", old_head, &new).await, "sent twice because of a broken connection");
    assert!(!on.fill("k", old_head, &value(3, "newer").1).await);
    assert!(on.fill("k", new_head, &value(3, "newer").1).await);
}

pub async fn an_unusable_register_is_replaced_and_no_other(on: On<impl Subject>) {
    for unusable in [&b""[..], b"x", b"Vtruncated", b"a foreign value of more than seventeen bytes"] {
        on.put("k", unusable).await;
        let replace = Replace::unusable(&Bytes::copy_from_slice(unusable));
        let other = Replace::unusable(&Bytes::from_static(b"not what stands there"));
        let kept = on.store().acquire(Acquire::new(&"k".into(), lease(9), TTL, WITHIN).replacing(other)).await.unwrap();
        assert_eq!(kept, Acquired::Value(Bytes::copy_from_slice(unusable)));
        let taken = on
            .store()
            .acquire(Acquire::new(&"k".into(), lease(1), TTL, WITHIN).replacing(replace.clone()))
            .await
            .unwrap();
        assert_eq!(taken, Acquired::Granted, "{unusable:?}");
        let (_, good) = value(1, "good");
        assert!(on.fill("k", lease(1), &good).await);
        let kept =
            on.store().acquire(Acquire::new(&"k".into(), lease(2), TTL, WITHIN).replacing(replace)).await.unwrap();
        assert_eq!(kept, Acquired::Value(good), "a good value came in between");
    }
}

pub async fn a_lease_is_replaced_by_whoever_names_it(on: On<impl Subject>) {
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    let replaces = async |old: Head, new: Head| {
        let replace = Replace::unusable(old.as_bytes());
        on.store().acquire(Acquire::new(&"k".into(), new, TTL, WITHIN).replacing(replace)).await.unwrap()
    };
    assert!(matches!(replaces(lease(9), lease(2)).await, Acquired::Leased(_)), "it is another one");
    assert_eq!(replaces(lease(1), lease(2)).await, Acquired::Granted);
    assert!(matches!(replaces(lease(1), lease(3)).await, Acquired::Leased(_)), "it is gone already");
    let (_, bytes) = value(1, "x");
    assert!(!on.fill("k", lease(1), &bytes).await, "its load has come to nothing");
    assert!(on.fill("k", lease(2), &bytes).await);
}

pub async fn values_expire(on: On<impl Subject>) {
    let (_, bytes) = value(1, "x");
    on.store().put(Put::new(&"k".into(), bytes, Duration::from_millis(50), WITHIN)).await.unwrap();
    assert!(on.get("k").await.is_some());
    on.expires("k", Duration::from_millis(50)).await;
}

pub async fn any_bytes_survive(on: On<impl Subject>) {
    let all: Vec<u8> = (0..=255).collect();
    on.put("k\u{fc}", &all).await;
    assert_eq!(on.get("k\u{fc}").await.unwrap(), all);
    let domain = on.store().domain(&"k\u{fc}".into());
    on.store().ping(Ping::new(WITHIN).of(domain)).await.unwrap();
}
