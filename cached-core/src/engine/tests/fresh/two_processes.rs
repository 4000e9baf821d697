//! Exactly one of several processes refreshes.

use super::*;

#[tokio::test(start_paused = true)]
async fn one_process_respects_the_refresh_lease_of_another() {
    for fresh in [REVALIDATE, BACKGROUND] {
        let (on, function) = (Subject::new(), Function::new(fresh));
        let other = on.another();
        function.stale(&on, 1).await;
        let refreshing = function.calling(&on, Ok(2), ms(500)).await;
        let acquires = on.store.count(Step::Acquire);
        for _ in 0..10 {
            assert_eq!(timed(function.call(&other, Ok(9), AT_ONCE)).await, (Ok(1), AT_ONCE));
            tasks().await;
        }
        assert_eq!(on.store.count(Step::Acquire) - acquires, 1, "asked once, and remembered");
        refreshing.await.unwrap().unwrap();
        sleep(ms(501)).await;
        on.cache.flush().await;
        assert_eq!(function.call(&other, Ok(9), AT_ONCE).await, Ok(2));
        assert_eq!(function.loads(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_refresh_lease_of_a_dead_process_runs_out() {
    let (on, function) = (Subject::new(), Function::new(REVALIDATE));
    function.stale(&on, 1).await;
    on.plant_refresh_lease(Duration::from_secs(3)).await;
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
    on.clock.advance(ms(2_999));
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
    on.clock.advance(ms(1));
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2));
}

/// Between the read of this call and its refresh lease, another process has refreshed the value and released the lease.
#[tokio::test(start_paused = true)]
async fn a_late_call_finds_the_value_refreshed() {
    for fresh in [REVALIDATE, IF_ERROR] {
        let (on, function) = (Subject::new(), Function::new(fresh));
        let other = on.another();
        function.stale(&on, 1).await;
        on.store.plan(Step::Acquire, [Act::Late(ms(20))]);
        let late = function.calling(&on, Ok(9), AT_ONCE).await;
        assert_eq!(function.call(&other, Ok(2), AT_ONCE).await, Ok(2));
        other.cache.flush().await;
        assert_eq!(late.await.unwrap(), Ok(2));
        assert_eq!(function.loads(), 1);
        tasks().await;
        assert_eq!(on.refresh_lease().await, None);
    }
}

/// In that time the value was invalidated. A call that has read before may be served the old value.
#[tokio::test(start_paused = true)]
async fn a_late_call_finds_the_value_gone() {
    let (on, function) = (Subject::new(), Function::new(REVALIDATE));
    function.stale(&on, 1).await;
    on.store.plan(Step::Acquire, [Act::Late(ms(20))]);
    let late = function.calling(&on, Ok(9), AT_ONCE).await;
    on.cache.entry("k").remove().await.unwrap();
    assert_eq!(late.await.unwrap(), Ok(1));
    assert_eq!((function.loads(), on.register().await), (0, None));

    let function = Function::new(IF_ERROR);
    let on = Subject::new();
    function.stale(&on, 1).await;
    on.store.plan(Step::Acquire, [Act::Late(ms(20))]);
    let late = function.calling(&on, Ok(2), AT_ONCE).await;
    on.cache.entry("k").remove().await.unwrap();
    assert_eq!(late.await.unwrap(), Ok(2), "a miss like any other");
}
