//! BEGIN and END: while a write is in progress, nobody stores what the write may outdate.

use super::Subject;
use super::steps::{On, TTL, lease, value, writer};
use crate::store::{Acquire, Acquired, Release, Renew, Replace, Written};
use std::time::Duration;

/// Long enough for a few steps on a busy machine.
const SHORT: Duration = Duration::from_millis(300);

pub async fn begin_removes_what_stands_there_and_keeps_leases_off(on: On<impl Subject>) {
    let (_, old) = value(1, "old");
    on.put("value", &old).await;
    on.put("other", &old).await;
    assert_eq!(on.acquire("leased", lease(1), TTL).await, Acquired::Granted);
    on.begin(writer(1), &["value", "leased", "absent"], TTL).await;
    assert_eq!(on.get_all(&["value", "leased", "absent"]).await, [None, None, None]);
    for key in ["value", "leased", "absent"] {
        assert_eq!(on.acquire(key, lease(2), TTL).await, Acquired::Writing, "{key}");
        assert_eq!(on.get(key).await, None);
    }
    assert_eq!(on.get("other").await.unwrap(), old);
    on.end(writer(1), &["value", "leased", "absent"]).await;
    for key in ["value", "leased", "absent"] {
        assert_eq!(on.acquire(key, lease(2), TTL).await, Acquired::Granted, "{key}");
    }
}

pub async fn what_removes_registers_leaves_markers(on: On<impl Subject>) {
    on.begin(writer(1), &["k"], TTL).await;
    assert!(!on.remove("k").await);
    on.remove_all(&["k", "other"]).await;
    on.sweep("k").await;
    assert!(!on.store().release(Release::new(&"k".into(), lease(1), TTL)).await.unwrap());
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Writing);
}

pub async fn each_writer_ends_its_own_write(on: On<impl Subject>) {
    for (first, second) in [(1, 2), (2, 1)] {
        on.begin(writer(1), &["k"], TTL).await;
        on.begin(writer(2), &["k"], TTL).await;
        on.end(writer(first), &["k"]).await;
        assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Writing);
        on.end(writer(second), &["k"]).await;
        assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
        on.remove("k").await;
    }
}

pub async fn a_marker_ends_by_itself(on: On<impl Subject>) {
    on.begin(writer(1), &["k"], SHORT).await;
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Writing);
    on.pass(SHORT).await;
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
}

pub async fn a_short_write_does_not_end_a_long_one(on: On<impl Subject>) {
    on.begin(writer(1), &["k"], TTL).await;
    on.begin(writer(2), &["k"], SHORT).await;
    on.pass(SHORT).await;
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Writing);
    on.end(writer(1), &["k"]).await;
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted, "the other's is over by its own deadline");
}

pub async fn a_long_write_that_ends_leaves_the_short_ones_deadline(on: On<impl Subject>) {
    on.begin(writer(1), &["k"], TTL).await;
    on.begin(writer(2), &["k"], SHORT).await;
    on.end(writer(1), &["k"]).await;
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Writing);
    on.pass(SHORT).await;
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
}

pub async fn a_repeated_begin_extends(on: On<impl Subject>) {
    on.begin(writer(1), &["k"], SHORT).await;
    on.begin(writer(1), &["k"], TTL).await;
    on.pass(SHORT).await;
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Writing);
    on.end(writer(1), &["k"]).await;
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted, "one END for all BEGINs");
}

pub async fn a_marker_that_was_lost_is_begun_again(on: On<impl Subject>) {
    let (_, old) = value(1, "old");
    on.begin(writer(1), &["kept", "lost"], SHORT).await;
    on.begin(writer(1), &["kept"], TTL).await;
    on.pass(SHORT).await;
    assert_eq!(on.acquire("lost", lease(1), TTL).await, Acquired::Granted);
    assert!(on.fill("lost", lease(1), &old).await);
    on.begin(writer(1), &["kept", "lost"], TTL).await;
    assert_eq!(on.get("lost").await, None, "stored while the marker was lost");
    assert_eq!(on.acquire("lost", lease(2), TTL).await, Acquired::Writing);
    assert_eq!(on.acquire("kept", lease(2), TTL).await, Acquired::Writing);
}

/// Another writer's marker keeps the set of markers alive.
pub async fn a_marker_that_was_lost_beside_anothers_is_begun_again(on: On<impl Subject>) {
    let (_, old) = value(1, "old");
    on.begin(writer(2), &["k"], TTL).await;
    on.begin(writer(1), &["k"], SHORT).await;
    on.pass(SHORT).await;
    on.plant("k", &old).await;
    on.begin(writer(1), &["k"], TTL).await;
    assert_eq!(on.get("k").await, None);
    on.end(writer(2), &["k"]).await;
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Writing);
}

pub async fn end_removes_whatever_came_meanwhile(on: On<impl Subject>) {
    let (_, old) = value(1, "old");
    on.begin(writer(1), &["k", "late"], SHORT).await;
    on.plant("k", &old).await;
    on.end(writer(1), &["k"]).await;
    assert_eq!(on.get("k").await, None);

    on.pass(SHORT).await;
    assert_eq!(on.acquire("late", lease(1), TTL).await, Acquired::Granted);
    assert!(on.fill("late", lease(1), &old).await);
    on.end(writer(1), &["late"]).await;
    assert_eq!(on.get("late").await, None, "its marker was over before it");

    on.put("never begun", &old).await;
    on.begin(writer(2), &["k"], TTL).await;
    on.end(writer(1), &["never begun", "k", "absent"]).await;
    assert_eq!(on.get("never begun").await, None);
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Writing, "it was another's");
    on.end(writer(1), &[]).await;
}

/// A load that began before the write stores nothing, however it continues.
pub async fn loads_in_flight_do_not_store(on: On<impl Subject>) {
    let (seen, old) = value(1, "old");
    let (_, new) = value(2, "computed from what was there before");
    on.put("refreshed", &old).await;
    assert_eq!(on.acquire("loaded", lease(1), TTL).await, Acquired::Granted);
    let keys = ["refreshed", "loaded"];
    let fills = async || on.fill("refreshed", seen, &new).await || on.fill("loaded", lease(1), &new).await;
    on.begin(writer(1), &keys, TTL).await;
    assert!(!fills().await);
    assert!(!on.store().renew(Renew::new(&"loaded".into(), lease(1), TTL, TTL)).await.unwrap());
    on.end(writer(1), &keys).await;
    assert!(!fills().await);
    assert_eq!(on.acquire("loaded", lease(2), TTL).await, Acquired::Granted);
    assert!(!fills().await);
    assert!(!on.store().release(Release::new(&"loaded".into(), lease(1), TTL)).await.unwrap());
    assert!(on.fill("loaded", lease(2), &new).await);
    assert_eq!(on.get("refreshed").await, None);
}

/// The register is removed, so that nobody finds it again, and not replaced.
pub async fn an_unusable_register_gives_no_lease_either(on: On<impl Subject>) {
    on.begin(writer(1), &["k"], TTL).await;
    on.plant("k", b"damaged").await;
    let replace = Replace::unusable(b"damaged");
    let answer = on.store().acquire(Acquire::new(&"k".into(), lease(1), TTL, TTL).replacing(replace)).await.unwrap();
    assert_eq!(answer, Acquired::Writing);
    assert_eq!(on.get("k").await, None);
}

/// A caller may mistake a token for the lease of a worthless load. It does not keep the writer from putting its value.
pub async fn a_token_is_not_replaced(on: On<impl Subject>) {
    on.begin_with_token(writer(1), &["k"], TTL).await;
    let replace = Replace::unusable(writer(1).as_bytes());
    let answer = on.store().acquire(Acquire::new(&"k".into(), lease(1), TTL, TTL).replacing(replace)).await.unwrap();
    assert_eq!(answer, Acquired::Writing);
    let (_, bytes) = value(1, "x");
    let put = Written::value("k".into(), bytes.clone(), TTL);
    assert!(on.ends(writer(1), &[put]).await);
    assert_eq!(on.get("k").await, Some(bytes));
}

/// `set_unmarked` of the protocol's model: the value might be older than the commit, and outlive the marker of a writer
/// that dies.
pub async fn nothing_is_put_while_a_write_is_in_progress(on: On<impl Subject>) {
    let (_, old) = value(1, "old");
    let (_, new) = value(2, "new");
    on.begin_with_token(writer(1), &["put", "written"], TTL).await;
    on.begin(writer(2), &["dead"], SHORT).await;
    for key in ["put", "written", "dead"] {
        assert!(!on.try_put(key, &old).await, "{key}");
    }
    assert_eq!(on.get("put").await.as_deref(), Some(writer(1).as_bytes()), "the token stands");
    assert_eq!(on.get("dead").await, None);
    on.put("another", &old).await;
    assert!(on.end_with(writer(1), &[("put", Some(&new)), ("written", None)]).await);
    assert_eq!(on.get("put").await, Some(new));
    on.put("written", &old).await;
    on.pass(SHORT).await;
    on.put("dead", &old).await;
    assert_eq!(on.get_all(&["another", "written", "dead"]).await, [Some(old.clone()), Some(old.clone()), Some(old)]);
}
