//! Exactly one of several processes renews.

use super::*;

#[tokio::test(start_paused = true)]
async fn the_ticket_of_one_is_respected_by_the_other() {
    for fresh in [REVALIDATE, BACKGROUND] {
        let (on, function) = (Subject::new(), Function::new(fresh));
        let other = on.another();
        function.stale(&on, 1).await;
        let renewing = function.calling(&on, Ok(2), ms(500)).await;
        let acquires = on.store.count(Step::Acquire);
        for _ in 0..10 {
            assert_eq!(timed(function.call(&other, Ok(9), AT_ONCE)).await, (Ok(1), AT_ONCE));
            tasks().await;
        }
        assert_eq!(on.store.count(Step::Acquire) - acquires, 1, "asked once, and remembered");
        renewing.await.unwrap().unwrap();
        sleep(ms(501)).await;
        on.cache.settled().await;
        assert_eq!(function.call(&other, Ok(9), AT_ONCE).await, Ok(2));
        assert_eq!(function.loads(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_ticket_of_the_dead_runs_out() {
    let (on, function) = (Subject::new(), Function::new(REVALIDATE));
    function.stale(&on, 1).await;
    on.plant_ticket(Duration::from_secs(3)).await;
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
    on.clock.advance(ms(2_999));
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
    on.clock.advance(ms(1));
    assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(2));
}

/// Between its look and its ticket another has renewed the value and given the ticket back.
#[tokio::test(start_paused = true)]
async fn who_comes_late_finds_it_renewed() {
    for fresh in [REVALIDATE, IF_ERROR] {
        let (on, function) = (Subject::new(), Function::new(fresh));
        let other = on.another();
        function.stale(&on, 1).await;
        on.store.plan(Step::Acquire, [Act::Late(ms(20))]);
        let late = function.calling(&on, Ok(9), AT_ONCE).await;
        assert_eq!(function.call(&other, Ok(2), AT_ONCE).await, Ok(2));
        other.cache.settled().await;
        assert_eq!(late.await.unwrap(), Ok(2));
        assert_eq!(function.loads(), 1);
        tasks().await;
        assert_eq!(on.ticket().await, None);
    }
}

/// In that time it was invalidated: whoever miss before may be served what stood there.
#[tokio::test(start_paused = true)]
async fn who_comes_late_finds_it_gone() {
    let (on, function) = (Subject::new(), Function::new(REVALIDATE));
    function.stale(&on, 1).await;
    on.store.plan(Step::Acquire, [Act::Late(ms(20))]);
    let late = function.calling(&on, Ok(9), AT_ONCE).await;
    on.cache.delete("k").await.unwrap();
    assert_eq!(late.await.unwrap(), Ok(1));
    assert_eq!((function.loads(), on.register().await), (0, None));

    let function = Function::new(IF_ERROR);
    let on = Subject::new();
    function.stale(&on, 1).await;
    on.store.plan(Step::Acquire, [Act::Late(ms(20))]);
    let late = function.calling(&on, Ok(2), AT_ONCE).await;
    on.cache.delete("k").await.unwrap();
    assert_eq!(late.await.unwrap(), Ok(2), "a miss like any other");
}
