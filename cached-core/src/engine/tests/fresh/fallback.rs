//! `stale_if_error`: callers wait for the load as on a miss, with the old value as their fallback.

use super::*;

#[tokio::test(start_paused = true)]
async fn callers_wait_for_one_load() {
    let (on, function) = (Subject::new(), Function::new(IF_ERROR));
    function.stale(&on, 1).await;
    let leader = function.calling(&on, Ok(2), ms(500)).await;
    let mut followers = Vec::new();
    for _ in 0..20 {
        followers.push(function.calling(&on, Ok(9), AT_ONCE).await);
    }
    assert!(on.register().await.is_some(), "the old value stays meanwhile");
    assert_eq!(leader.await.unwrap(), Ok(2));
    for follower in followers {
        assert_eq!(follower.await.unwrap(), Ok(2));
    }
    on.cache.flush().await;
    assert_eq!(function.loads(), 1);
    assert_eq!(on.refresh_lease().await, None);
    let stats = on.of_function();
    assert_eq!((stats.loads, stats.coalesced, stats.stale, stats.refreshes), (2, 20, 0, 1));
    assert_eq!(stats.misses[&MissReason::Stale], 1);
}

#[tokio::test(start_paused = true)]
async fn when_the_load_fails_all_callers_are_served_the_old_value() {
    let (on, function) = (Subject::with_cooldown(), Function::new(IF_ERROR));
    function.stale(&on, 1).await;
    let leader = function.calling(&on, failed(), ms(500)).await;
    let mut followers = Vec::new();
    for _ in 0..20 {
        followers.push(function.calling(&on, failed(), AT_ONCE).await);
    }
    assert_eq!(leader.await.unwrap(), Ok(1));
    for follower in followers {
        assert_eq!(follower.await.unwrap(), Ok(1));
    }
    assert_eq!(function.loads(), 1);
    let stats = on.of_function();
    assert_eq!((stats.stale, stats.load_errors, stats.hits), (21, 1, 20));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_goes_away_hands_its_flight_over() {
    let (on, function) = (Subject::new(), Function::new(IF_ERROR));
    function.stale(&on, 1).await;
    let leader = function.calling(&on, Ok(2), ms(500)).await;
    let follower = function.calling(&on, Ok(3), AT_ONCE).await;
    leader.abort();
    assert_eq!(follower.await.unwrap(), Ok(3));
    on.cache.flush().await;
    assert_eq!((function.loads(), on.refresh_lease().await), (2, None));
}

#[tokio::test(start_paused = true)]
async fn the_load_of_another_process_is_waited_for() {
    let (on, function) = (Subject::new(), Function::new(IF_ERROR));
    let other = on.another();
    function.stale(&on, 1).await;
    let loading = function.calling(&on, Ok(2), ms(200)).await;
    let (value, took) = timed(function.call(&other, Ok(9), AT_ONCE)).await;
    assert_eq!(value, Ok(2));
    assert!(took >= ms(200) && took < ms(230), "{took:?}");
    assert_eq!(loading.await.unwrap(), Ok(2));
    assert_eq!(function.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn when_the_load_of_another_process_fails_it_is_not_tried_again_here() {
    let (on, function) = (Subject::with_cooldown(), Function::new(IF_ERROR));
    let other = on.another();
    function.stale(&on, 1).await;
    let loading = function.calling(&on, failed(), ms(200)).await;
    let mut waiting = Vec::new();
    for _ in 0..5 {
        waiting.push(function.calling(&other, failed(), AT_ONCE).await);
    }
    for call in waiting {
        assert_eq!(call.await.unwrap(), Ok(1));
    }
    assert_eq!(loading.await.unwrap(), Ok(1));
    assert_eq!(function.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_refresh_lease_of_a_dead_process_is_waited_for_no_longer_than_max_wait() {
    let (on, function) = (Subject::with(|builder| builder.max_wait(ms(300))), Function::new(IF_ERROR));
    function.stale(&on, 1).await;
    on.plant_refresh_lease(Duration::from_secs(3600)).await;
    let (value, took) = timed(function.call(&on, Ok(2), AT_ONCE)).await;
    assert_eq!(value, Ok(1), "the old value rather than one more load");
    assert!(took <= ms(300), "{took:?}");
    assert_eq!(function.loads(), 0);
}

#[tokio::test(start_paused = true)]
async fn when_the_refresh_lease_of_another_process_runs_out_a_waiting_call_loads() {
    let (on, function) = (Subject::new(), Function::new(IF_ERROR));
    function.stale(&on, 1).await;
    on.plant_refresh_lease(Duration::from_secs(3)).await;
    let call = function.calling(&on, Ok(2), AT_ONCE).await;
    on.clock.advance(Duration::from_secs(3));
    assert_eq!(call.await.unwrap(), Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_load_overtaken_by_an_invalidation_is_not_shared_with_later_calls() {
    let (on, function) = (Subject::new(), Function::new(IF_ERROR));
    function.stale(&on, 1).await;
    let leader = function.calling(&on, Ok(2), ms(500)).await;
    on.cache.entry("k").remove().await.unwrap();
    let follower = function.calling(&on, Ok(3), AT_ONCE).await;
    assert_eq!(leader.await.unwrap(), Ok(2));
    assert_eq!(follower.await.unwrap(), Ok(3), "the load had begun before it came, and FILL was refused");
    on.cache.flush().await;
    assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn the_store_goes_away_before_the_refresh_lease() {
    let (on, function) = (Subject::new(), Function::new(IF_ERROR));
    function.stale(&on, 1).await;
    on.store.plan(Step::Acquire, [Act::Fails(FaultKind::Disconnected)]);
    assert_eq!(function.call(&on, failed(), AT_ONCE).await, Ok(1), "the fallback");
    on.store.plan(Step::Acquire, [Act::Fails(FaultKind::Disconnected)]);
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2), "loaded without the store");
}

#[tokio::test(start_paused = true)]
async fn both_windows_follow_each_other() {
    let both = Freshness { revalidate_ms: Some(20_000), ..IF_ERROR };
    let (on, function) = (Subject::with_cooldown(), Function::new(both));
    function.stale(&on, 1).await;
    let refresher = function.calling(&on, Ok(2), ms(500)).await;
    assert_eq!(timed(function.call(&on, Ok(9), AT_ONCE)).await, (Ok(1), AT_ONCE), "served at once");
    refresher.abort();
    tasks().await;
    on.clock.advance(Duration::from_secs(20));
    let (value, took) = timed(function.call(&on, failed(), ms(500))).await;
    assert_eq!((value, took), (Ok(1), ms(500)), "after the load has failed");
}
