//! Forced refreshes: who may store, and what is served meanwhile.

use super::Subject;
use super::steps::{News, On, TTL, WITHIN, lease, stamp, value, writer};
use crate::store::{Acquire, Acquired, ForcedRefresh, Put, Release, Renew, Replace, TakenOver, Takeover};
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(80);

impl<S: Subject> On<S> {
    fn forced(&self) -> Option<&dyn ForcedRefresh> {
        self.store().capabilities().forced_refresh()
    }

    /// TAKEOVER with the stamp and the lease of this number.
    async fn take_over(&self, key: &str, id: u8) -> TakenOver {
        let key = key.into();
        let request = Takeover::new(&key, stamp(id), lease(id), TTL, WITHIN);
        self.forced().unwrap().take_over(request).await.unwrap()
    }
}

pub async fn a_value_is_served_on_under_a_fresh_head(on: On<impl Subject>) {
    if on.forced().is_none() {
        return;
    }
    let (seen, old) = value(1, "old, and of some length");
    on.put("k", &old).await;
    assert_eq!(on.take_over("k", 2).await, TakenOver::Value);
    assert_eq!(on.get("k").await.unwrap(), value(2, "old, and of some length").1);
    let (_, new) = value(3, "new");
    assert!(!on.fill("k", seen, &new).await, "who saw it before stores no more");
    assert!(!on.fill("k", lease(2), &new).await, "no lease was given");
    assert!(on.fill("k", stamp(2), &new).await);
    assert_eq!(on.get("k").await.unwrap(), new);
}

pub async fn a_value_that_is_taken_over_lives_as_long_as_before(on: On<impl Subject>) {
    if on.forced().is_none() {
        return;
    }
    let (_, old) = value(1, "old");
    on.store().put(Put::new(&"k".into(), old, SHORT, WITHIN)).await.unwrap();
    // On a busy machine it may have ended already.
    if on.take_over("k", 2).await == TakenOver::Value {
        on.expires("k", SHORT).await;
    }
}

pub async fn a_lease_stands_where_no_value_does(on: On<impl Subject>) {
    if on.forced().is_none() {
        return;
    }
    assert_eq!(on.take_over("k", 1).await, TakenOver::Lease);
    let Acquired::Leased(left) = on.acquire("k", lease(9), TTL).await else { panic!("a second lease") };
    assert!(left <= TTL && left > TTL / 2, "{left:?} are left of {TTL:?}");
    assert!(on.store().renew(Renew::new(&"k".into(), lease(1), TTL, WITHIN)).await.unwrap());
    let (_, new) = value(1, "new");
    assert!(!on.fill("k", stamp(1), &new).await, "there was no value");
    assert!(on.fill("k", lease(1), &new).await);
    assert_eq!(on.get("k").await.unwrap(), new);
}

pub async fn a_load_under_way_stores_no_more(on: On<impl Subject>) {
    if on.forced().is_none() {
        return;
    }
    let (_, old) = value(5, "loaded before");
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    assert_eq!(on.take_over("k", 2).await, TakenOver::Lease);
    assert!(!on.fill("k", lease(1), &old).await);
    assert!(!on.store().renew(Renew::new(&"k".into(), lease(1), TTL, WITHIN)).await.unwrap());
    assert!(!on.store().release(Release::new(&"k".into(), lease(1), WITHIN)).await.unwrap());
    assert!(on.fill("k", lease(2), &value(2, "new").1).await);
}

pub async fn the_later_of_two_forced_refreshes_stores(on: On<impl Subject>) {
    if on.forced().is_none() {
        return;
    }
    for stands in [true, false] {
        on.remove("k").await;
        if stands {
            on.put("k", &value(1, "old").1).await;
        }
        let (first, second) = (on.take_over("k", 2).await, on.take_over("k", 3).await);
        assert_eq!(
            (first, second),
            if stands { (TakenOver::Value, TakenOver::Value) } else { (TakenOver::Lease, TakenOver::Lease) }
        );
        let head = |id| if stands { stamp(id) } else { lease(id) };
        assert!(!on.fill("k", head(2), &value(4, "earlier").1).await);
        assert!(on.fill("k", head(3), &value(5, "later").1).await);
        assert!(!on.fill("k", head(2), &value(4, "earlier").1).await);
    }
}

pub async fn whatever_else_stands_there_is_replaced(on: On<impl Subject>) {
    if on.forced().is_none() {
        return;
    }
    for bytes in [&b""[..], b"x", b"Vtruncated", b"a foreign value of more than seventeen bytes"] {
        on.put("k", bytes).await;
        assert_eq!(on.take_over("k", 1).await, TakenOver::Lease, "{bytes:?}");
        assert_eq!(on.get("k").await.unwrap(), lease(1).as_bytes());
    }
    // The head alone is a value without anything behind it.
    on.put("k", stamp(2).as_bytes()).await;
    assert_eq!(on.take_over("k", 3).await, TakenOver::Value);
    assert_eq!(on.get("k").await.unwrap(), stamp(3).as_bytes());
}

pub async fn an_invalidation_ends_a_forced_refresh(on: On<impl Subject>) {
    if on.forced().is_none() {
        return;
    }
    on.put("k", &value(1, "old").1).await;
    for head in [stamp(2), lease(2)] {
        on.take_over("k", 2).await;
        assert!(on.remove("k").await);
        assert!(!on.fill("k", head, &value(3, "loaded before").1).await);
        assert_eq!(on.get("k").await, None);
    }
}

/// A marker in place: nobody gets the right to store, and what its writer would put may be older than the load.
pub async fn a_forced_refresh_during_a_write_stores_nothing_and_ends_its_token(on: On<impl Subject>) {
    if on.forced().is_none() {
        return;
    }
    on.put("k", &value(1, "old").1).await;
    on.begin_with_token(writer(1), &["k"], TTL).await;
    assert_eq!(on.take_over("k", 2).await, TakenOver::Writing);
    assert_eq!(on.get("k").await, None);
    assert!(!on.fill("k", lease(2), &value(2, "new").1).await);
    assert_eq!(on.acquire("k", lease(3), TTL).await, Acquired::Writing, "the marker stays");
    let (_, put) = value(4, "put");
    assert!(!on.end_with(writer(1), &[("k", Some(&put))]).await);
    assert_eq!(on.get("k").await, None);
    assert_eq!(on.take_over("k", 5).await, TakenOver::Lease);
}

/// The marker of a writer that has died is over.
pub async fn a_forced_refresh_after_a_marker_has_run_out_stores(on: On<impl Subject>) {
    if on.forced().is_none() {
        return;
    }
    on.begin_with_token(writer(1), &["k"], SHORT).await;
    on.pass(SHORT).await;
    assert_eq!(on.take_over("k", 2).await, TakenOver::Lease);
    assert!(on.fill("k", lease(2), &value(2, "new").1).await);
}

pub async fn a_value_that_was_taken_over_is_released_by_its_fresh_head(on: On<impl Subject>) {
    if on.forced().is_none() {
        return;
    }
    let (seen, old) = value(1, "old");
    on.put("k", &old).await;
    on.take_over("k", 2).await;
    assert!(!on.store().release(Release::new(&"k".into(), seen, WITHIN)).await.unwrap());
    let replace = Replace::unusable(seen.as_bytes());
    let kept = on.store().acquire(Acquire::new(&"k".into(), lease(3), TTL, WITHIN).replacing(replace)).await.unwrap();
    assert_eq!(kept, Acquired::Value(value(2, "old").1), "it is not the one that was found unusable");
    assert!(on.store().release(Release::new(&"k".into(), stamp(2), WITHIN)).await.unwrap());
    assert_eq!(on.get("k").await, None);
}

pub async fn many_are_taken_over_at_once(on: On<impl Subject>) {
    if on.forced().is_none() {
        return;
    }
    let keys: Vec<_> = (0..100).map(|n| format!("k:{n}")).collect();
    for key in keys.iter().step_by(2) {
        on.put(key, &value(1, key).1).await;
    }
    let each = keys.iter().map(|key| on.take_over(key, 2));
    let taken = futures_util::future::join_all(each).await;
    for (n, (key, taken)) in keys.iter().zip(taken).enumerate() {
        let stands = n % 2 == 0;
        assert_eq!(taken, if stands { TakenOver::Value } else { TakenOver::Lease }, "{key}");
        let expected = if stands { value(2, key).1 } else { lease(2).as_bytes().to_vec().into() };
        assert_eq!(on.get(key).await.unwrap(), expected);
        assert!(on.fill(key, if stands { stamp(2) } else { lease(2) }, &value(3, key).1).await);
    }
}

/// A near cache that holds the value hears of its fresh head, and of what replaces it.
pub async fn a_takeover_is_announced(on: On<impl Subject>) {
    if on.forced().is_none() || !on.can_watch() {
        return;
    }
    let recorder = on.watch();
    let (on, changed) = (&on, News::Changed("k".to_owned()));
    on.put("k", &value(1, "old").1).await;
    let told = on.news_of(&recorder, "k", async || assert_eq!(on.take_over("k", 2).await, TakenOver::Value)).await;
    assert!(told.contains(&changed), "{told:?}");
    let told = on.news_of(&recorder, "k", async || assert!(on.fill("k", stamp(2), &value(3, "new").1).await)).await;
    assert!(told.contains(&changed), "{told:?}");
}
