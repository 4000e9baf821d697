//! `stale_while_revalidate` in the foreground: one call waits for the refresh.

use super::*;
use crate::store::Put;

#[tokio::test(start_paused = true)]
async fn without_a_window_a_value_past_its_end_is_a_miss() {
    let (on, function) = (Subject::new(), Function::new(Freshness::NONE));
    function.stale(&on, 1).await;
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn one_call_refreshes_and_the_others_are_served() {
    let (on, function) = (Subject::new(), Function::new(REVALIDATE));
    function.stale(&on, 1).await;
    let refresher = function.calling(&on, Ok(2), ms(500)).await;
    let (gets, acquires) = (on.store.count(Step::Get), on.store.count(Step::Acquire));
    for _ in 0..10 {
        assert_eq!(timed(function.call(&on, Ok(9), AT_ONCE)).await, (Ok(1), AT_ONCE));
    }
    assert_eq!(on.store.count(Step::Get) - gets, 10, "one GET each");
    assert_eq!(on.store.count(Step::Acquire), acquires, "and nothing more");
    assert_eq!(refresher.await.unwrap(), Ok(2));
    on.cache.flush().await;
    assert_eq!(on.refresh_lease().await, None, "the refresh lease is released");
    assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(2));
    assert_eq!(function.loads(), 1);
    let stats = on.of_function();
    assert_eq!((stats.hits, stats.stale, stats.loads, stats.refreshes, stats.stored), (11, 10, 2, 1, 2));
    assert_eq!(stats.calls(), 13);
}

#[tokio::test(start_paused = true)]
async fn a_value_whose_window_is_over_is_a_miss() {
    let (on, function) = (Subject::new(), Function::new(REVALIDATE));
    function.stale(&on, 1).await;
    on.clock.advance(ms(59_999));
    let refresher = function.calling(&on, Ok(2), ms(500)).await;
    assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(1));
    refresher.abort();
    on.clock.advance(ms(1));
    assert_eq!(function.call(&on, Ok(3), AT_ONCE).await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn a_refreshed_value_lives_from_its_refresh_on() {
    let (on, function) = (Subject::new(), Function::new(REVALIDATE));
    function.stale(&on, 1).await;
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2));
    on.cache.flush().await;
    on.clock.advance(ms(9_999));
    assert_eq!(function.call(&on, Ok(3), AT_ONCE).await, Ok(2));
    on.clock.advance(ms(1));
    assert_eq!(function.call(&on, Ok(3), AT_ONCE).await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn a_refreshing_call_that_goes_away_leaves_nothing_behind() {
    let (on, function) = (Subject::new(), Function::new(REVALIDATE));
    function.stale(&on, 1).await;
    let refresher = function.calling(&on, Ok(2), ms(500)).await;
    assert!(on.refresh_lease().await.is_some());
    refresher.abort();
    tasks().await;
    assert_eq!(on.refresh_lease().await, None);
    assert_eq!(function.call(&on, Ok(3), AT_ONCE).await, Ok(3), "the next one takes over");
}

#[tokio::test(start_paused = true)]
async fn a_value_invalidated_during_its_refresh_does_not_come_back() {
    let (on, function) = (Subject::new(), Function::new(REVALIDATE));
    function.stale(&on, 1).await;
    let refresher = function.calling(&on, Ok(2), ms(500)).await;
    on.cache.entry("k").remove().await.unwrap();
    assert_eq!(refresher.await.unwrap(), Ok(2), "it returns what it has loaded");
    on.cache.flush().await;
    assert_eq!(on.register().await, None);
    assert_eq!(function.call(&on, Ok(3), AT_ONCE).await, Ok(3));
    assert_eq!(on.of_function().unstored[&UnstoredReason::LeaseLost], 1);
}

#[tokio::test(start_paused = true)]
async fn a_fill_that_is_late_does_not_overwrite_what_came_after_it() {
    let (on, function) = (Subject::new(), Function::new(REVALIDATE));
    function.stale(&on, 1).await;
    on.store.plan(Step::Fill, [Act::Late(ms(90))]);
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2));
    on.cache.entry("k").remove().await.unwrap();
    assert_eq!(function.call(&on, Ok(3), AT_ONCE).await, Ok(3));
    on.cache.flush().await;
    assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn after_a_refused_refresh_lease_calls_do_not_ask_again_for_a_while() {
    let (on, function) = (Subject::new(), Function::new(REVALIDATE));
    function.stale(&on, 1).await;
    on.store.plan(Step::Acquire, [Act::Fails(FaultKind::OutOfMemory)]);
    for _ in 0..5 {
        assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
    }
    assert_eq!(on.store.count(Step::Acquire), 2, "that of the first load, and one for the refresh lease");
    on.clock.advance(Duration::from_secs(1));
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn the_store_goes_away_between_refresh_lease_and_fill() {
    let (on, function) = (Subject::new(), Function::new(REVALIDATE));
    function.stale(&on, 1).await;
    on.store.plan(Step::Get, [Act::Well, Act::Fails(FaultKind::Disconnected)]);
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1), "the second read failed: no load");
    tasks().await;
    assert_eq!(on.refresh_lease().await, None);
    on.clock.advance(Duration::from_secs(1));
    on.store.plan(Step::Fill, [Act::Fails(FaultKind::Disconnected)]);
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2), "stored or not");
    on.cache.flush().await;
    assert_eq!(on.of_function().unstored[&UnstoredReason::Fault], 1);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_lease_that_is_garbage_is_replaced() {
    for garbage in [&b""[..], b"x", b"V", b"V0123456789abcdef", b"L0123456789abcdef and more", &[b'V'; 26]] {
        let (on, function) = (Subject::new(), Function::new(REVALIDATE));
        function.stale(&on, 1).await;
        let register = Bytes::copy_from_slice(garbage);
        on.store.memory.put(Put::new(&on.refresh_lease_key(), register, WINDOW, BUDGET)).await.unwrap();
        assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2), "{garbage:?}");
        on.cache.flush().await;
        assert_eq!(on.refresh_lease().await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_none_has_the_same_windows() {
    use crate::outcome::OptionValue;
    let (on, function) = (Subject::new(), Function::new(REVALIDATE));
    let shape = OptionValue::<u64>::default();
    let call = async |found: Option<u64>| {
        let call = Call::new(function.site, Some(&on.cache), "", &[]);
        let mut load = match read(call.typed(shape), shape, Unkept).await {
            Ok(returned) => return (returned, false),
            Err(load) => load,
        };
        let returned = load.run(&Policy::<u64>::default(), async move { found }).await;
        let returned = load.settle(shape, &Policy::default(), returned);
        on.cache.flush().await;
        (returned, true)
    };
    assert_eq!(call(None).await, (None, true));
    on.clock.advance(Duration::from_secs(59));
    assert_eq!(call(Some(1)).await, (None, false));
    on.clock.advance(Duration::from_secs(1));
    on.plant_refresh_lease(COOLDOWN).await;
    assert_eq!(call(Some(1)).await, (None, false), "stale, and another process refreshes it");
    on.clock.advance(COOLDOWN);
    assert_eq!(call(Some(1)).await, (Some(1), true));
}

#[tokio::test(start_paused = true)]
async fn a_call_before_the_end_refreshes() {
    // With so large a β, every call does.
    let ahead = Freshness { ahead: Some(1e12), ..Freshness::NONE };
    let (on, function) = (Subject::new(), Function::new(ahead));
    assert_eq!(function.call(&on, Ok(1), ms(10)).await, Ok(1));
    on.cache.flush().await;
    assert_eq!(function.call(&on, Ok(2), ms(10)).await, Ok(2));
    on.cache.flush().await;
    let stats = on.of_function();
    assert_eq!((stats.loads, stats.refreshes, stats.stale), (2, 1, 0));
    on.clock.advance(TTL);
    assert_eq!(function.call(&on, Ok(3), ms(10)).await, Ok(3), "there is no window after it");
}

#[tokio::test(start_paused = true)]
async fn a_function_that_keeps_nothing_past_its_end_shares_the_key() {
    let (on, with, without) = (Subject::new(), Function::new(REVALIDATE), Function::new(Freshness::NONE));
    with.stale(&on, 1).await;
    let refreshing = with.calling(&on, Ok(2), ms(500)).await;
    assert_eq!(without.call(&on, Ok(3), AT_ONCE).await, Ok(3), "stale is stale for it");
    on.cache.flush().await;
    assert_eq!(refreshing.await.unwrap(), Ok(2));
    on.cache.flush().await;
    // The value of the other function has no times, and stays.
    for function in [&with, &without] {
        assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(3));
    }
    on.clock.advance(TTL);
    assert_eq!(with.call(&on, Ok(4), AT_ONCE).await, Ok(4));
}

/// The value ends while the load runs. Its register has to be there still, or FILL could not replace it.
#[tokio::test(start_paused = true)]
async fn a_value_refreshed_at_the_last_moment_is_stored() {
    // With so large a β, every call is early.
    for fresh in [Freshness { ahead: Some(1e12), ..Freshness::NONE }, REVALIDATE, IF_ERROR] {
        let (on, function) = (Subject::new(), Function::new(fresh));
        assert_eq!(function.call(&on, Ok(1), ms(10)).await, Ok(1));
        on.cache.flush().await;
        let window = if fresh.ahead.is_some() { Duration::ZERO } else { WINDOW };
        on.clock.advance(ms(9_999) + window);
        let clock = on.clock.clone();
        let slow = async move {
            clock.advance(ms(30));
            Ok(2)
        };
        assert_eq!(function.call_with(&on, slow).await, Ok(2));
        on.cache.flush().await;
        let stats = on.of_function();
        assert!(stats.unstored.is_empty() && stats.stored == 2, "{fresh:?}: {stats:?}");
    }
}
