//! Values near and past their end in the near cache.

use super::*;
use crate::engine::target::LeftByNear;
use crate::store::Watcher;

const MINUTE: Option<Local> = Some(Local::Millis(60_000));

impl Function {
    /// Stores a value and reads it once more.
    async fn read_twice(&self, on: &Subject, value: u64) {
        for _ in 0..2 {
            assert_eq!(self.call(on, Ok(value), ms(10)).await, Ok(value));
            on.cache.flush().await;
        }
        self.loads.store(0, Ordering::SeqCst);
    }
}

impl Subject {
    /// The store confirms that the contact holds.
    pub(super) fn confirmed(&self) {
        self.engine().near().confirmed(std::time::Instant::now());
    }
}

#[tokio::test(start_paused = true)]
async fn a_near_hit_ends_when_the_value_does() {
    let (on, function) = (Subject::new(), Function::kept(REVALIDATE, MINUTE));
    function.read_twice(&on, 1).await;
    on.clock.advance(ms(9_999));
    on.confirmed();
    let reads = on.store.count(Step::GetWatched);
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
    assert_eq!((on.of_function().near_hits, on.store.count(Step::GetWatched)), (1, reads));
    on.clock.advance(ms(1));
    on.confirmed();
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2), "it is due, and this call refreshes it");
    assert_eq!(on.of_function().near_hits, 1);
}

/// These values do not contain their end. The store says how long they live.
#[tokio::test(start_paused = true)]
async fn a_near_hit_ends_with_the_value_in_the_store() {
    let (on, function) = (Subject::new(), Function::kept(Freshness::NONE, MINUTE));
    function.read_twice(&on, 1).await;
    on.clock.advance(ms(9_999));
    on.confirmed();
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
    assert_eq!(on.of_function().near_hits, 1);
    on.clock.advance(ms(1));
    on.confirmed();
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_value_past_its_end_is_not_kept() {
    let (on, function) = (Subject::new(), Function::kept(REVALIDATE, MINUTE));
    function.stale(&on, 1).await;
    on.plant_refresh_lease(COOLDOWN).await;
    for _ in 0..3 {
        on.confirmed();
        assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
    }
    assert_eq!(on.of_function().near_hits, 0);
    let near = on.cache.stats().near.unwrap();
    assert_eq!((near.entries, near.overtaken), (0, 0), "not even for a moment");
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_kept_value_may_refresh_it_early() {
    // With so large a β, every call refreshes.
    let ahead = Freshness { ahead: Some(1e12), ..Freshness::NONE };
    let (on, function) = (Subject::new(), Function::kept(ahead, MINUTE));
    assert_eq!(function.call(&on, Ok(1), ms(10)).await, Ok(1));
    on.cache.flush().await;
    function.kept_while_refreshed_elsewhere(&on, 1).await;
    on.clock.advance(ms(1));
    on.confirmed();
    assert_eq!(function.call(&on, Ok(2), ms(10)).await, Ok(2), "the near cache has a value, and it is refreshed");
    assert_eq!(on.of_function().near_hits, 0);
}

#[tokio::test(start_paused = true)]
async fn chance_decides_before_the_store_is_read() {
    // With so small a β, no call refreshes.
    let ahead = Freshness { ahead: Some(1e-12), ..Freshness::NONE };
    let (on, function) = (Subject::new(), Function::kept(ahead, MINUTE));
    function.read_twice(&on, 1).await;
    on.confirmed();
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
    assert_eq!((on.of_function().near_hits, function.loads()), (1, 0));
}

impl Function {
    /// Gets the value into the near cache although every call would refresh it: another process has the refresh lease
    /// for 1 ms.
    async fn kept_while_refreshed_elsewhere(&self, on: &Subject, value: u64) {
        on.plant_refresh_lease(ms(1)).await;
        for _ in 0..2 {
            assert_eq!(self.call(on, Ok(9), AT_ONCE).await, Ok(value));
        }
        assert_eq!(on.engine().near().stats().entries, 1);
    }

    /// Whether a call has to load, given the number that the near cache has drawn.
    async fn is_to_load(&self, on: &Subject, draw: f64) -> bool {
        let shape = ResultValue::<u64, String>::default();
        let mut call = Call::new(self.site, Some(&on.cache), "", &[]);
        call.target.as_mut().unwrap().left = Some(Box::new(LeftByNear { draw: Some(draw), ..LeftByNear::default() }));
        let is_to_load = read(call.typed(shape), shape, Cloned).await.is_err();
        // Lets the refresh lease be released.
        tasks().await;
        is_to_load
    }
}

/// The number that the near cache has drawn also decides about the store's value. None is drawn again.
#[tokio::test(start_paused = true)]
async fn the_draw_for_the_kept_value_decides_about_the_stores_value() {
    let ahead = Freshness { ahead: Some(1.0), ..Freshness::NONE };
    let (on, function) = (Subject::new(), Function::kept(ahead, MINUTE));
    function.read_twice(&on, 1).await;
    // The load took 10 ms, so 50 ms before the end 1 call in 148 refreshes.
    on.clock.advance(ms(9_950));
    for _ in 0..50 {
        assert!(function.is_to_load(&on, 0.999).await);
        assert!(!function.is_to_load(&on, 0.9).await);
    }
}

/// Another process has refreshed the value, and the notification is on its way.
#[tokio::test(start_paused = true)]
async fn a_kept_value_that_is_due_does_not_refresh_a_newer_one() {
    let ahead = Freshness { ahead: Some(1.0), ..Freshness::NONE };
    let (on, function) = (Subject::new(), Function::kept(ahead, MINUTE));
    function.read_twice(&on, 1).await;
    on.clock.advance(ms(9_999));
    assert!(function.is_to_load(&on, 0.999).await);
    on.clock.advance(ms(1));
    function.read_twice(&on, 2).await;
    assert!(!function.is_to_load(&on, 0.999).await);
}

/// The time in the near cache ends long before the value does. That is no reason to load the value.
#[tokio::test(start_paused = true)]
async fn a_kept_value_whose_time_is_over_is_not_refreshed_early() {
    let ahead = Freshness { ahead: Some(1.0), ..Freshness::NONE };
    let (on, function) = (Subject::new(), Function::kept(ahead, Some(Local::Millis(1_000))));
    function.read_twice(&on, 1).await;
    for _ in 0..5 {
        on.clock.advance(ms(1_000));
        on.confirmed();
        assert_eq!(function.call(&on, Ok(9), ms(10)).await, Ok(1), "from the store");
        assert_eq!(function.call(&on, Ok(9), ms(10)).await, Ok(1), "kept again");
    }
    assert_eq!((function.loads(), on.of_function().near_hits), (0, 5));
}

/// The key of a call whose status is asked for is rendered. Its value is kept where all other calls look for it.
#[tokio::test(start_paused = true)]
async fn a_kept_value_that_is_due_is_kept_once_though_a_status_is_asked_for() {
    // With so large a β, every call would refresh.
    let ahead = Freshness { ahead: Some(1e12), ..Freshness::NONE };
    let (on, function) = (Subject::new(), Function::kept(ahead, MINUTE));
    assert_eq!(function.call(&on, Ok(1), ms(10)).await, Ok(1));
    on.cache.flush().await;
    function.kept_while_refreshed_elsewhere(&on, 1).await;
    let (returned, status) = crate::with_status(function.call(&on, Ok(9), AT_ONCE)).await;
    assert_eq!((returned, status.to_string().starts_with("cached_core; hit")), (Ok(1), true), "{status}");
    assert_eq!(on.engine().near().stats().entries, 1);
}

/// If the kept value was invalidated, the call is a miss like any other.
#[tokio::test(start_paused = true)]
async fn a_kept_value_that_has_changed_is_not_refreshed_early() {
    // With so large a β, every call would refresh.
    let ahead = Freshness { ahead: Some(1e12), ..Freshness::NONE };
    let (on, function) = (Subject::new(), Function::kept(ahead, MINUTE));
    assert_eq!(function.call(&on, Ok(1), ms(10)).await, Ok(1));
    on.cache.flush().await;
    function.kept_while_refreshed_elsewhere(&on, 1).await;
    let near = on.engine().near();
    near.changed(&on.engine().settings.prefix.literal("k"));
    assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(1), "another process has the refresh lease");
    assert_eq!(near.stats().drops.get(&crate::near::DropReason::Changed), Some(&1));
}

/// With `on_gap = "serve"` the near cache replaces a store that is away. A call that went on to refresh a value would
/// use up its budget and load, and so would the next.
#[tokio::test(start_paused = true)]
async fn nothing_is_refreshed_early_without_contact() {
    let ahead = Freshness { ahead: Some(1e12), ..Freshness::NONE };
    let on = Subject::new();
    let spec = SiteSpec { fresh: ahead, local: MINUTE, serves_in_gap: true, ..SiteSpec::DEFAULT };
    let function = Function::with(&spec);
    assert_eq!(function.call(&on, Ok(1), ms(10)).await, Ok(1));
    on.cache.flush().await;
    function.kept_while_refreshed_elsewhere(&on, 1).await;
    on.clock.advance(ms(1));
    on.engine().near().lost();
    let before = (on.of_function().near_hits, on.store.count(Step::GetWatched));
    for _ in 0..5 {
        assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(1));
    }
    assert_eq!((on.of_function().near_hits, on.store.count(Step::GetWatched)), (before.0 + 5, before.1));
}

/// The former value was valid, but it is older than what the refreshing call returns. It must be gone before the store
/// notifies.
#[tokio::test(start_paused = true)]
async fn the_former_value_is_not_served_after_the_new_one() {
    let (on, function) = (Subject::new(), Function::kept(Freshness { ahead: Some(1.0), ..REVALIDATE }, MINUTE));
    let other =
        Function { site: Function::new(Freshness { ahead: Some(1e12), ..REVALIDATE }).site, ..function.clone() };
    function.read_twice(&on, 1).await;
    on.confirmed();
    assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(1), "kept");
    on.store.hold_news();
    // A function with the same template refreshes it early.
    assert_eq!(other.call(&on, Ok(2), ms(10)).await, Ok(2));
    on.cache.flush().await;
    on.confirmed();
    assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(2));
}

/// Whether the forced refresh finds the former value in the store or not.
#[tokio::test(start_paused = true)]
async fn the_former_value_is_not_served_after_a_forced_refresh() {
    for is_evicted in [false, true] {
        let (on, function) = (Subject::new(), Function::kept(Freshness::NONE, MINUTE));
        function.read_twice(&on, 1).await;
        on.confirmed();
        assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(1), "kept");
        on.store.hold_news();
        if is_evicted {
            on.store.memory.remove(Remove::new(&on.key(), BUDGET)).await.unwrap();
        }
        assert_eq!(crate::refresh(function.call(&on, Ok(2), ms(10))).await, Ok(2));
        on.confirmed();
        assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(2), "{is_evicted}");
    }
}

#[tokio::test]
async fn tags_outlive_values_kept_past_their_end() {
    let on = Subject::new();
    let window = Freshness { if_error_ms: Some(24 * 3_600_000), ..Freshness::NONE };
    let state = on.engine().site(Function::new(window).site);
    assert!(state.tag_time >= 4 * (TTL + Duration::from_secs(24 * 3600)));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_served_from_the_near_cache_after_a_shutdown() {
    let (on, function) = (Subject::new(), Function::kept(Freshness::NONE, MINUTE));
    function.read_twice(&on, 1).await;
    on.confirmed();
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
    assert!(on.cache.shutdown(ms(1_000)).await.is_empty());
    on.confirmed();
    for value in [3, 4] {
        assert_eq!(function.call(&on, Ok(value), AT_ONCE).await, Ok(value));
        on.cache.flush().await;
    }
    assert_eq!((on.of_function().near_hits, on.cache.stats().near.unwrap().entries), (1, 0));
}
