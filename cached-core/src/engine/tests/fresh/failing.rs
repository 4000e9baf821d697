//! Refreshes that fail: the old value is served, and the source is left alone for a while.

use super::*;
use crate::store::Put;

#[tokio::test(start_paused = true)]
async fn the_refreshing_call_is_served_the_old_value() {
    let (on, function) = (Subject::with_cooldown(), Function::new(REVALIDATE));
    function.stale(&on, 1).await;
    for _ in 0..3 {
        assert_eq!(function.call(&on, failed(), AT_ONCE).await, Ok(1));
        on.cache.flush().await;
    }
    let stats = on.of_function();
    assert_eq!((function.loads(), stats.load_errors, stats.stale), (1, 1, 3));
    assert_eq!((stats.loads, stats.hits, stats.calls()), (2, 2, 4), "a load that failed is a load");
    on.clock.advance(COOLDOWN);
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_down_for_a_minute_is_bridged() {
    let (on, function) = (Subject::with_cooldown(), Function::new(IF_ERROR));
    let other = on.another();
    function.stale(&on, 1).await;
    let acquires = on.store.count(Step::Acquire);
    let mut calls = 0;
    for _ in 0..600 {
        for on in [&on, &other] {
            assert_eq!(function.call(on, failed(), AT_ONCE).await, Ok(1), "no error reaches a caller");
            on.cache.flush().await;
            calls += 1;
        }
        on.clock.advance(ms(100));
    }
    assert_eq!(calls, 1_200);
    assert_eq!(function.loads(), 12, "one attempt in each of twelve intervals, whichever process");
    assert!(on.store.count(Step::Acquire) - acquires <= 2 * 12, "all others cost one GET");
    // The minute is over, and the window with it.
    assert_eq!(function.call(&on, failed(), AT_ONCE).await, failed());
}

#[tokio::test(start_paused = true)]
async fn another_process_learns_of_the_failure_from_the_refresh_lease() {
    let (on, function) = (Subject::with_cooldown(), Function::new(REVALIDATE));
    let other = on.another();
    function.stale(&on, 1).await;
    assert_eq!(function.call(&on, failed(), AT_ONCE).await, Ok(1));
    on.cache.flush().await;
    on.clock.advance(ms(4_999));
    assert_eq!(function.call(&other, Ok(2), AT_ONCE).await, Ok(1), "cooling down");
    on.clock.advance(ms(1));
    assert_eq!(function.call(&other, Ok(2), AT_ONCE).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_cooldown_that_cannot_be_stored_holds_in_this_process() {
    let (on, function) = (Subject::with_cooldown(), Function::new(REVALIDATE));
    let other = on.another();
    function.stale(&on, 1).await;
    on.store.plan(Step::Fill, [Act::Fails(FaultKind::OutOfMemory)]);
    assert_eq!(function.call(&on, failed(), AT_ONCE).await, Ok(1));
    on.cache.flush().await;
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
    tasks().await;
    assert_eq!(function.call(&other, Ok(3), AT_ONCE).await, Ok(3), "the refresh lease was released");
}

/// The clock of the other process is an hour ahead of ours.
#[tokio::test(start_paused = true)]
async fn a_cooldown_of_another_process_is_no_longer_than_ours() {
    let (on, function) = (Subject::with_cooldown(), Function::new(REVALIDATE));
    function.stale(&on, 1).await;
    let until = on.clock.wall() + 3_600_000;
    let register = [Head::value(1).as_bytes(), &until.to_le_bytes()].concat();
    on.store.memory.put(Put::new(&on.refresh_lease_key(), register.into(), COOLDOWN, BUDGET)).await.unwrap();
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
    on.clock.advance(COOLDOWN);
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2));
}

/// Somebody has made the register live on.
#[tokio::test(start_paused = true)]
async fn a_cooldown_ends_even_if_its_register_does_not() {
    let (on, function) = (Subject::with_cooldown(), Function::new(REVALIDATE));
    function.stale(&on, 1).await;
    let until = on.clock.wall() + 5_000;
    let register = [Head::value(1).as_bytes(), &until.to_le_bytes()].concat();
    on.store.memory.put(Put::new(&on.refresh_lease_key(), register.into(), WINDOW, BUDGET)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
        on.clock.advance(COOLDOWN);
    }
    on.clock.advance(ms(1));
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_load_that_panics_is_not_repeated_at_once() {
    let (on, function) = (Subject::with_cooldown(), Function::new(REVALIDATE));
    function.stale(&on, 1).await;
    let (panicking, subject) = (function.clone(), on.clone());
    let call = tokio::spawn(async move { panicking.call_with(&subject, async { panic!("as planned") }).await });
    assert!(call.await.unwrap_err().is_panic());
    tasks().await;
    assert_eq!(on.refresh_lease().await, None);
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
    on.clock.advance(COOLDOWN);
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn an_invalidated_value_is_not_served_when_the_load_fails() {
    for fresh in [REVALIDATE, IF_ERROR] {
        let (on, function) = (Subject::with_cooldown(), Function::new(fresh));
        function.stale(&on, 1).await;
        on.cache.entry("k").remove().await.unwrap();
        assert_eq!(function.call(&on, failed(), AT_ONCE).await, failed());
    }
}
