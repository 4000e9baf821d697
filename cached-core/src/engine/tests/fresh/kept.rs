//! Values near and past their end, and the near cache.

use super::*;
use crate::engine::target::Left;
use crate::store::Watcher;

const MINUTE: Option<Local> = Some(Local::Millis(60_000));

impl Function {
    /// A value that was stored and has been read once more.
    async fn read_twice(&self, on: &Subject, value: u64) {
        for _ in 0..2 {
            assert_eq!(self.call(on, Ok(value), ms(10)).await, Ok(value));
            on.cache.settled().await;
        }
        self.loads.store(0, Ordering::SeqCst);
    }
}

impl Subject {
    /// The store is in contact.
    fn confirmed(&self) {
        self.engine().near().confirmed(std::time::Instant::now());
    }
}

#[tokio::test(start_paused = true)]
async fn a_near_hit_ends_when_the_value_does() {
    let (on, function) = (Subject::new(), Function::kept(REVALIDATE, MINUTE));
    function.read_twice(&on, 1).await;
    on.clock.advance(ms(9_999));
    on.confirmed();
    let looks = on.store.count(Step::GetWatched);
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
    assert_eq!((on.of_function().near_hits, on.store.count(Step::GetWatched)), (1, looks));
    on.clock.advance(ms(1));
    on.confirmed();
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2), "it is due, and this call renews it");
    assert_eq!(on.of_function().near_hits, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_past_its_end_is_not_kept() {
    let (on, function) = (Subject::new(), Function::kept(REVALIDATE, MINUTE));
    function.stale(&on, 1).await;
    on.plant_ticket(THROTTLE).await;
    for _ in 0..3 {
        on.confirmed();
        assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
    }
    assert_eq!(on.of_function().near_hits, 0);
    let near = on.cache.stats().near.unwrap();
    assert_eq!((near.entries, near.overtaken), (0, 0), "not even for a moment");
}

#[tokio::test(start_paused = true)]
async fn a_near_hit_may_be_the_one_to_renew() {
    // So large a β that every call is.
    let ahead = Freshness { ahead: Some(1e12), ..Freshness::NONE };
    let (on, function) = (Subject::new(), Function::kept(ahead, MINUTE));
    assert_eq!(function.call(&on, Ok(1), ms(10)).await, Ok(1));
    on.cache.settled().await;
    // Read while another has the claim, so that it is kept.
    on.plant_ticket(ms(1)).await;
    assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(1));
    assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(1));
    on.clock.advance(ms(1));
    on.confirmed();
    assert_eq!(function.call(&on, Ok(2), ms(10)).await, Ok(2), "the near cache has one, and it is renewed");
    assert_eq!(on.of_function().near_hits, 0);
}

#[tokio::test(start_paused = true)]
async fn chance_decides_before_the_store_is_asked() {
    // So small a β that no call is.
    let ahead = Freshness { ahead: Some(1e-12), ..Freshness::NONE };
    let (on, function) = (Subject::new(), Function::kept(ahead, MINUTE));
    function.read_twice(&on, 1).await;
    on.confirmed();
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
    assert_eq!((on.of_function().near_hits, function.loads()), (1, 0));
}

/// The near cache has decided: the store's value is not drawn for once more.
#[tokio::test(start_paused = true)]
async fn an_early_call_renews_whatever_chance_says_at_the_store() {
    let ahead = Freshness { ahead: Some(1e-12), ..Freshness::NONE };
    let (on, function) = (Subject::new(), Function::kept(ahead, MINUTE));
    function.read_twice(&on, 1).await;
    let shape = ResultValue::<u64, String>::default();
    let mut call = Call::new(function.site, Some(&on.cache), "", &[]);
    call.target.as_mut().unwrap().left = Some(Box::new(Left { words: None, early: true }));
    assert!(look(call.typed(shape), shape, Cloned).await.is_err(), "it is to load");
}

/// The former value was valid, and is older than what the call that has renewed it returns.
#[tokio::test(start_paused = true)]
async fn the_former_value_is_not_served_after_the_new_one() {
    let (on, function) = (Subject::new(), Function::kept(Freshness { ahead: Some(1.0), ..REVALIDATE }, MINUTE));
    let other =
        Function { site: Function::new(Freshness { ahead: Some(1e12), ..REVALIDATE }).site, ..function.clone() };
    function.read_twice(&on, 1).await;
    on.confirmed();
    assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(1), "kept");
    // A function of the same template renews it, early.
    assert_eq!(other.call(&on, Ok(2), ms(10)).await, Ok(2));
    on.cache.settled().await;
    on.confirmed();
    assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(2));
}

#[tokio::test]
async fn tags_outlive_what_is_kept_past_its_end() {
    let on = Subject::new();
    let window = Freshness { if_error_ms: Some(24 * 3_600_000), ..Freshness::NONE };
    let state = on.engine().site(Function::new(window).site);
    assert!(state.tag_time >= 4 * (TTL + Duration::from_secs(24 * 3600)));
}
