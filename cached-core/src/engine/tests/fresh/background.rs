//! Loads that run as tasks.

use super::*;

const SPAWN: Freshness = Freshness { spawn: true, ..Freshness::NONE };

#[tokio::test(start_paused = true)]
async fn the_refreshing_call_is_served_at_once() {
    let (on, function) = (Subject::new(), Function::new(BACKGROUND));
    function.stale(&on, 1).await;
    for _ in 0..10 {
        assert_eq!(timed(function.call(&on, Ok(2), ms(500))).await, (Ok(1), AT_ONCE));
    }
    sleep(ms(501)).await;
    on.cache.flush().await;
    assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(2));
    assert_eq!((function.loads(), on.refresh_lease().await), (1, None));
    let stats = on.of_function();
    assert_eq!((stats.hits, stats.stale, stats.loads, stats.refreshes), (11, 10, 1, 1));
    assert_eq!(stats.calls(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_failed_refresh_is_not_reported_and_not_repeated_at_once() {
    let (on, function) = (Subject::with_cooldown(), Function::new(BACKGROUND));
    function.stale(&on, 1).await;
    for _ in 0..10 {
        assert_eq!(function.call(&on, failed(), AT_ONCE).await, Ok(1));
        tasks().await;
    }
    assert_eq!((function.loads(), on.of_function().load_errors), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_load_of_a_miss_runs_in_its_caller_and_ends_with_it() {
    let (on, function) = (Subject::new(), Function::new(BACKGROUND));
    let call = function.calling(&on, Ok(1), ms(500)).await;
    call.abort();
    sleep(ms(600)).await;
    assert_eq!(on.register().await, None);
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_spawned_load_is_stored_whatever_its_caller_does() {
    let (on, function) = (Subject::new(), Function::new(SPAWN));
    let call = function.calling(&on, Ok(1), ms(500)).await;
    call.abort();
    let follower = function.calling(&on, Ok(9), AT_ONCE).await;
    sleep(ms(501)).await;
    on.cache.flush().await;
    assert_eq!(follower.await.unwrap(), Ok(1));
    assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(1));
    assert_eq!((function.loads(), on.of_function().stored), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_spawned_load_passes_its_panic_to_its_caller() {
    let (on, function) = (Subject::new(), Function::new(SPAWN));
    let (panicking, subject) = (function.clone(), on.clone());
    let call = tokio::spawn(async move { panicking.call_with(&subject, async { panic!("as planned") }).await });
    let panic = call.await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref(), Some(&"as planned"));
    tasks().await;
    assert_eq!(on.register().await, None, "the lease is released");
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_load_that_takes_too_long_goes_on_without_its_caller() {
    for fresh in [REVALIDATE, IF_ERROR] {
        let fresh = Freshness { spawn: true, load_timeout_ms: Some(200), ..fresh };
        let (on, function) = (Subject::new(), Function::new(fresh));
        assert_eq!(function.call(&on, Ok(1), ms(300)).await, Ok(1), "there is no fallback");
        on.cache.flush().await;
        on.clock.advance(TTL);
        assert_eq!(timed(function.call(&on, Ok(2), ms(500))).await, (Ok(1), ms(200)));
        sleep(ms(301)).await;
        on.cache.flush().await;
        assert_eq!(function.call(&on, Ok(9), AT_ONCE).await, Ok(2));
        let stats = on.of_function();
        assert_eq!((stats.loads, stats.stale, stats.calls()), (2, 1, 3));
    }
}

#[tokio::test(start_paused = true)]
async fn followers_of_a_slow_load_wait_as_long_as_its_leader() {
    let fresh = Freshness { spawn: true, load_timeout_ms: Some(200), ..IF_ERROR };
    let (on, function) = (Subject::new(), Function::new(fresh));
    function.stale(&on, 1).await;
    let leader = function.calling(&on, Ok(2), ms(1_000)).await;
    sleep(ms(100)).await;
    assert_eq!(timed(function.call(&on, Ok(9), AT_ONCE)).await, (Ok(1), ms(200)));
    assert_eq!(leader.await.unwrap(), Ok(1));
    assert_eq!(function.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_load_runs_in_the_scope_of_its_call() {
    for fresh in [SPAWN, BACKGROUND] {
        let (on, function) = (Subject::new(), Function::new(fresh));
        let inner = Subject::new();
        let seen = Arc::new(AtomicU64::new(0));
        if fresh.background {
            function.stale(&on, 1).await;
        }
        let witness = Arc::clone(&seen);
        let body = async move {
            witness.store(crate::engine::ambient::scoped().map_or(0, |cache| cache.engine().id + 1), Ordering::SeqCst);
            Ok(2)
        };
        inner.cache.scope(function.call_with(&on, body)).await.unwrap();
        tasks().await;
        assert_eq!(seen.load(Ordering::SeqCst), inner.engine().id + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_load_in_a_task_that_calls_itself_is_noticed() {
    let (on, function) = (Subject::new(), Function::new(SPAWN));
    let (again, subject) = (function.clone(), on.clone());
    let body = async move { again.call(&subject, Ok(7), AT_ONCE).await };
    let (value, took) = timed(function.call_with(&on, body)).await;
    assert_eq!((value, took), (Ok(7), AT_ONCE));
    assert_eq!(on.of_function().misses[&MissReason::SelfCall], 1);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_spawned_loads_and_counts_those_that_go_on() {
    for (takes, left) in [(ms(500), 0), (ms(5_000), 1)] {
        let (on, function) = (Subject::new(), Function::new(SPAWN));
        let call = function.calling(&on, Ok(1), takes).await;
        call.abort();
        let (unfinished, took) = timed(on.cache.shutdown(ms(1_000))).await;
        assert_eq!((unfinished.loads, took), (left, takes.min(ms(1_000))));
        assert_eq!(unfinished.is_empty(), left == 0, "{unfinished}");
        assert_eq!(on.of_function().stored, 1 - left as u64);
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_a_refresh_in_the_background() {
    let (on, function) = (Subject::new(), Function::new(BACKGROUND));
    function.stale(&on, 1).await;
    assert_eq!(function.call(&on, Ok(2), ms(500)).await, Ok(1));
    let (unfinished, took) = timed(on.cache.shutdown(ms(1_000))).await;
    assert!(unfinished.is_empty() && took == ms(500), "{unfinished} after {took:?}");
    assert_eq!((function.loads(), on.of_function().stored), (1, 2));
}
