//! Registers and markers that someone has made persistent (`PERSIST`): they keep nothing out of the cache for longer
//! than others do.

use super::{Stage, Subject, TTL, WITHIN, lease, redis};
use cached_core::store::conformance::steps::{value, writer};
use cached_core::store::{Acquired, Head, Renew};

impl Stage {
    async fn persists(&self, key: &str) {
        let has_been: bool = self.server().send(&[b"PERSIST", key.as_bytes()]).await;
        assert!(has_been, "{key} had an end");
    }

    /// Waits until the time of the writer's marker is over.
    async fn is_over(&self, markers: &str, writer: Head) {
        let added: i64 = self.server().send(&[b"ZADD", markers.as_bytes(), b"XX", b"1", writer.as_bytes()]).await;
        assert_eq!(added, 0, "it stood there");
    }

    async fn has_an_end(&self, key: &str) -> bool {
        let left: i64 = self.server().send(&[b"PTTL", key.as_bytes()]).await;
        left > 0
    }
}

#[tokio::test]
async fn a_lease_is_replaced() {
    let on = redis();
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    on.persists("k").await;
    assert_eq!(on.acquire("k", lease(2), TTL).await, Acquired::Granted, "a lease without an end is nobody's");
    assert!(on.has_an_end("k").await);
    assert!(!on.fill("k", lease(1), &value(1, "old").1).await);
    assert!(on.fill("k", lease(2), &value(2, "new").1).await);
    assert!(on.has_an_end("k").await);
}

#[tokio::test]
async fn a_lease_that_is_asked_for_twice_has_an_end() {
    let on = redis();
    for _ in 0..2 {
        assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
        assert!(on.has_an_end("k").await);
    }
}

#[tokio::test]
async fn its_holder_may_still_renew_or_fill_it() {
    let on = redis();
    for key in ["renewed", "filled"] {
        assert_eq!(on.acquire(key, lease(1), TTL).await, Acquired::Granted);
        on.persists(key).await;
    }
    assert!(on.store().renew(Renew::new(&"renewed".into(), lease(1), TTL, WITHIN)).await.unwrap());
    assert!(on.fill("filled", lease(1), &value(1, "x").1).await);
    assert!(on.has_an_end("renewed").await && on.has_an_end("filled").await);
}

#[tokio::test]
async fn a_tag_gets_an_end_when_it_is_read() {
    let on = redis();
    let stamp = value(1, "").0;
    assert_eq!(on.tag(&["t"], stamp).await.unwrap(), [stamp]);
    on.persists("t").await;
    assert_eq!(on.tag(&["t"], value(2, "").0).await.unwrap(), [stamp]);
    assert!(on.has_an_end("t").await);
}

#[tokio::test]
async fn a_token_gets_an_end_when_its_write_goes_on_and_is_replaced_when_it_does_not() {
    let on = redis();
    on.begin_with_token(writer(1), &["k"], TTL).await;
    on.persists("k").await;
    on.begin_with_token(writer(1), &["k"], TTL).await;
    assert!(on.has_an_end("k").await);
    for key in ["k", "{k}:w"] {
        on.persists(key).await;
    }
    on.is_over("{k}:w", writer(1)).await;
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
}

#[tokio::test]
async fn markers_are_over_when_the_last_of_them_is() {
    let (on, stamp, markers) = (redis(), value(1, "").0, ["{k}:w", "{t}:w"]);
    on.begin(writer(1), &["k", "t"], TTL).await;
    for markers in markers {
        on.persists(markers).await;
    }
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Writing);
    assert_eq!(on.tag(&["t"], stamp).await, None);
    on.begin(writer(2), &["k", "t"], TTL).await;
    for markers in markers {
        assert!(on.has_an_end(markers).await, "that of the last");
        on.persists(markers).await;
        on.is_over(markers, writer(1)).await;
    }
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Writing, "one of two goes on");
    assert_eq!(on.tag(&["t"], stamp).await, None);
    for markers in markers {
        on.is_over(markers, writer(2)).await;
    }
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    assert_eq!(on.tag(&["t"], stamp).await.unwrap(), [stamp]);
}

/// When one of two writers has ended, the other's markers expire again.
#[tokio::test]
async fn the_end_of_one_write_gives_the_others_an_end() {
    let on = redis();
    on.begin(writer(1), &["k"], TTL).await;
    on.begin(writer(2), &["k"], TTL).await;
    on.persists("{k}:w").await;
    on.end(writer(1), &["k"]).await;
    assert!(on.has_an_end("{k}:w").await);
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Writing);
    on.end(writer(2), &["k"]).await;
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
}
