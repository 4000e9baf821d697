//! Refreshes that succeed and have nothing to store: the source has answered, so the old value ends.

use super::*;
use crate::store::Get;

const AHEAD: Freshness = Freshness { ahead: Some(1e12), ..Freshness::NONE };

impl Subject {
    /// Whether anything stands under the key.
    async fn holds(&self) -> bool {
        self.store.memory.get(Get::new(&self.key(), BUDGET)).await.unwrap().is_some()
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_with_nothing_to_store_ends_the_old_value() {
    for fresh in [REVALIDATE, BACKGROUND, IF_ERROR, AHEAD] {
        let (on, function) = (Subject::with_cooldown(), Function::new(fresh));
        function.stale(&on, 1).await;
        if fresh == AHEAD {
            assert_eq!(function.call(&on, Ok(1), ms(10)).await, Ok(1));
            on.cache.flush().await;
        }
        let served = if fresh.background { 1 } else { UNSTORED };
        assert_eq!(function.call(&on, Ok(UNSTORED), ms(10)).await, Ok(served));
        sleep(ms(20)).await;
        on.cache.flush().await;
        assert!(!on.holds().await && on.refresh_lease().await.is_none(), "{fresh:?}");
        assert_eq!(function.call(&on, failed(), AT_ONCE).await, failed(), "{fresh:?}: nothing old is left to serve");
        assert_eq!(on.of_function().unstored[&UnstoredReason::Policy], 1);
    }
}

/// While the refresh loads, the value is replaced by one that was loaded after an invalidation.
#[tokio::test(start_paused = true)]
async fn a_newer_value_stays() {
    let (on, function) = (Subject::with_cooldown(), Function::new(BACKGROUND));
    let other = on.another();
    function.stale(&on, 1).await;
    assert_eq!(function.call(&on, Ok(UNSTORED), ms(100)).await, Ok(1));
    tasks().await;
    other.cache.entry("k").remove().await.unwrap();
    assert_eq!(function.call(&other, Ok(2), AT_ONCE).await, Ok(2));
    other.cache.flush().await;
    sleep(ms(200)).await;
    on.cache.flush().await;
    assert_eq!(on.of_function().unstored[&UnstoredReason::Policy], 1, "the refresh has ended");
    assert_eq!(function.call(&on, Ok(3), AT_ONCE).await, Ok(2));
}

/// Before the store announces the removal.
#[tokio::test(start_paused = true)]
async fn the_kept_value_ends_as_well() {
    let minute = Some(Local::Millis(60_000));
    let (on, function) = (Subject::new(), Function::kept(Freshness { ahead: Some(1.0), ..REVALIDATE }, minute));
    let refreshing = Function { site: Function::new(AHEAD).site, ..function.clone() };
    for _ in 0..2 {
        assert_eq!(function.call(&on, Ok(1), ms(10)).await, Ok(1));
        on.cache.flush().await;
    }
    on.confirmed();
    assert_eq!((function.call(&on, Ok(9), AT_ONCE).await, on.engine().near().stats().entries), (Ok(1), 1));
    on.store.hold_news();
    // A function with the same template refreshes it early.
    assert_eq!(refreshing.call(&on, Ok(UNSTORED), ms(10)).await, Ok(UNSTORED));
    on.cache.flush().await;
    on.confirmed();
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_value_that_cannot_be_removed_is_refreshed_again() {
    let (on, function) = (Subject::with_cooldown(), Function::new(REVALIDATE));
    function.stale(&on, 1).await;
    on.store.plan(Step::Release, [Act::Fails(FaultKind::Refused)]);
    assert_eq!(function.call(&on, Ok(UNSTORED), AT_ONCE).await, Ok(UNSTORED));
    on.cache.flush().await;
    assert!(on.holds().await);
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2), "by the next call, and not only after the cooldown");
}

#[tokio::test(start_paused = true)]
async fn followers_share_a_value_that_is_not_stored() {
    let (on, function) = (Subject::with_cooldown(), Function::new(IF_ERROR));
    function.stale(&on, 1).await;
    let first = function.calling(&on, Ok(UNSTORED), ms(50)).await;
    let second = function.calling(&on, Ok(UNSTORED + 1), AT_ONCE).await;
    let got = [first.await.unwrap(), second.await.unwrap()];
    assert!(got.iter().all(|got| got.as_ref().is_ok_and(|value| *value >= UNSTORED)), "{got:?}");
    on.cache.flush().await;
    assert!(!on.holds().await);
}
