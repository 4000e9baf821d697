//! A store that fails.

use super::*;
use crate::{BreakerState, Invalidation};

#[tokio::test(start_paused = true)]
async fn a_silent_store_costs_one_budget() {
    let on = Subject::new();
    on.store.plan(Step::Get, [Act::Silent]);
    let (value, took) = timed(on.call(1, AT_ONCE)).await;
    assert_eq!((value, took), (1, BUDGET));
    assert_eq!(on.store.count(Step::Acquire), 0, "it is not asked again");
    assert_eq!(on.misses(), [(MissReason::Timeout, 1)]);
    assert_eq!(on.unstored(), [(UnstoredReason::NoLease, 1)]);
    assert_eq!((on.stats().bypassed, on.engine().breaker()), (1, BreakerState::Closed));
}

#[tokio::test(start_paused = true)]
async fn refusals_do_not_count_as_an_outage() {
    let on = Subject::new();
    for n in 1..10 {
        on.store.plan(Step::Get, [Act::Fails(FaultKind::Refused)]);
        assert_eq!(on.call(n, AT_ONCE).await, n);
        assert_eq!(on.misses(), [(MissReason::Refused, n)]);
    }
    assert!(on.engine().breaker.is_healthy());
}

#[tokio::test(start_paused = true)]
async fn a_full_store_still_serves() {
    let on = Subject::new();
    on.store.plan(Step::Acquire, [Act::Fails(FaultKind::OutOfMemory)]);
    assert_eq!(on.call(1, AT_ONCE).await, 1);
    assert_eq!(on.misses(), [(MissReason::OutOfMemory, 1)]);
    assert_eq!(on.call(2, AT_ONCE).await, 2);
    assert_eq!(on.call(3, AT_ONCE).await, 2);
}

#[tokio::test(start_paused = true)]
async fn three_outages_in_a_row_open_the_breaker_and_a_probe_closes_it() {
    let on = Subject::new();
    on.store.plan(Step::Get, vec![Act::Fails(FaultKind::Disconnected); 3]);
    for n in 1..=3 {
        assert_eq!(on.engine().breaker(), BreakerState::Closed);
        on.call(n, AT_ONCE).await;
    }
    assert_eq!(on.engine().breaker(), BreakerState::Open);
    on.call(4, AT_ONCE).await;
    assert_eq!(on.store.count(Step::Get), 3, "the store is left alone");
    assert_eq!(on.misses(), [(MissReason::Disconnected, 3), (MissReason::BreakerOpen, 1)]);

    on.clock.advance(ms(100));
    on.store.plan(Step::Ping, [Act::Fails(FaultKind::Loading)]);
    on.call(5, AT_ONCE).await;
    tasks().await;
    let pings = on.store.taken(Step::Ping);
    assert!(pings.len() == 1 && pings[0].within == ms(500), "{pings:?}");
    assert_eq!(on.engine().breaker(), BreakerState::Open);

    on.clock.advance(ms(200));
    on.call(6, AT_ONCE).await;
    assert_eq!(on.store.count(Step::Get), 3, "no caller pays for the probe");
    tasks().await;
    assert_eq!(on.store.count(Step::Ping), 2);
    assert_eq!(on.engine().breaker(), BreakerState::Closed);
    assert_eq!(on.call(7, AT_ONCE).await, 7);
    assert_eq!((on.store.count(Step::Get), on.stats().stored), (4, 1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_between_two_outages_keeps_the_breaker_closed() {
    let on = Subject::new();
    for n in 0..5 {
        on.store.plan(Step::Get, [Act::Fails(FaultKind::Timeout), Act::Fails(FaultKind::Timeout), Act::Well]);
        for _ in 0..3 {
            on.cache.entry("k").get::<u64>().await;
        }
        assert_eq!(on.engine().breaker(), BreakerState::Closed, "round {n}");
        assert!(on.engine().breaker.is_healthy());
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_given_up_after_half_the_budget_counts_as_an_outage() {
    for (patience, healthy) in [(ms(49), true), (ms(50), false)] {
        let on = Subject::new();
        on.store.plan(Step::Get, [Act::Silent]);
        tokio::time::timeout(patience, on.call(1, AT_ONCE)).await.unwrap_err();
        assert_eq!(on.engine().breaker.is_healthy(), healthy, "{patience:?}");
    }
    let on = Subject::new();
    on.store.plan(Step::Get, [Act::Late(ms(90))]);
    // Only one step, because the answer of a second would make up for it.
    on.cache.entry("k").get::<u64>().await;
    assert!(on.engine().breaker.is_healthy(), "a late answer is an answer");
}

#[tokio::test(start_paused = true)]
async fn impatient_callers_open_the_breaker_whichever_step_they_give_up() {
    async fn is_open_after(step: Step, give_up: impl AsyncFn(&Cache)) {
        let on = Subject::new();
        // More than three, because the queue asks as well.
        on.store.plan(step, vec![Act::Silent; 30]);
        for _ in 0..3 {
            assert_eq!(on.engine().breaker(), BreakerState::Closed, "{step:?}");
            tokio::time::timeout(BUDGET / 2, give_up(&on.cache)).await.unwrap_err();
        }
        assert_eq!(on.engine().breaker(), BreakerState::Open, "{step:?}");
    }
    is_open_after(Step::Get, async |cache| _ = cache.entry("k").get::<u64>().await).await;
    is_open_after(Step::GetAll, async |cache| _ = cache.entry("k").tag("t").get_or_load(async || Ok::<_, ()>(1)).await)
        .await;
    is_open_after(Step::Put, async |cache| _ = cache.entry("k").set(&1).await).await;
    is_open_after(Step::Tag, async |cache| _ = cache.entry("k").tag("t").set(&1).await).await;
    is_open_after(Step::Remove, async |cache| _ = cache.entry("k").remove().await).await;
    is_open_after(Step::RemoveAll, async |cache| _ = cache.invalidate(Invalidation::new().key("k")).await).await;
    is_open_after(Step::Begin, async |cache| _ = cache.write(Invalidation::new().key("k"), async {}).await).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_has_used_its_budget_does_not_wait_for_anothers_store_step() {
    let on = Subject::new();
    on.store.plan(Step::Get, [Act::Silent, Act::Well]);
    on.store.plan(Step::Acquire, [Act::Late(ms(95))]);
    let first = on.calling(Ok(1), AT_ONCE).await;
    sleep(ms(50)).await;
    let second = on.calling(Ok(2), AT_ONCE).await;
    let (value, took) = timed(first).await;
    assert_eq!((value.unwrap(), took), (Ok(1), ms(50)));
    assert_eq!(second.await.unwrap(), Ok(2));
    assert_eq!(on.stats().misses[&MissReason::Timeout], 1);
    assert_eq!((on.stats().loads, on.stats().bypassed), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_has_used_its_budget_waits_for_anothers_load() {
    let on = Subject::new();
    on.store.plan(Step::Get, [Act::Silent, Act::Well]);
    on.store.plan(Step::Acquire, [Act::Late(ms(30))]);
    let first = on.calling(Ok(1), AT_ONCE).await;
    sleep(ms(50)).await;
    // It loads from 80 to 180; the first joins at 100.
    let second = on.calling(Ok(2), ms(100)).await;
    let (value, took) = timed(first).await;
    assert_eq!((value.unwrap(), took), (Ok(2), ms(130)));
    assert_eq!(second.await.unwrap(), Ok(2));
    assert_eq!((on.stats().loads, on.stats().coalesced), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_not_sent_does_not_count_as_an_outage() {
    let on = Subject::new();
    // Each answer takes the whole budget, so ACQUIRE is never sent.
    on.store.plan(Step::Get, vec![Act::Late(BUDGET); 5]);
    for n in 1..=5 {
        assert_eq!(on.call(n, AT_ONCE).await, n);
        assert!(on.engine().breaker.is_healthy());
    }
    assert_eq!((on.store.count(Step::Get), on.store.count(Step::Acquire)), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn a_step_given_up_soon_after_an_answer_does_not_count_as_an_outage() {
    let on = Subject::new();
    for n in 1..=4 {
        on.store.plan(Step::Get, [Act::Late(ms(60))]);
        on.store.plan(Step::Acquire, [Act::Silent]);
        tokio::time::timeout(ms(61), on.call(n, AT_ONCE)).await.unwrap_err();
        assert!(on.engine().breaker.is_healthy(), "ACQUIRE had a millisecond");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_runtime_has_ended_does_not_count_as_an_outage() {
    let on = Subject::new();
    on.store.plan(Step::Remove, [Act::Fails(FaultKind::Timeout), Act::Fails(FaultKind::Timeout)]);
    on.store.plan(Step::Remove, [Act::Fails(FaultKind::Abandoned), Act::Fails(FaultKind::Timeout)]);
    for _ in 0..3 {
        assert_eq!(on.engine().breaker(), BreakerState::Closed);
        on.cache.entry("k").remove().await.unwrap_err();
    }
    on.cache.entry("k").remove().await.unwrap_err();
    assert_eq!(on.engine().breaker(), BreakerState::Open, "three times nobody answered");
}

#[tokio::test(start_paused = true)]
async fn a_step_with_little_time_left_does_not_count_as_an_outage() {
    let on = Subject::new();
    for n in 1..=4 {
        on.store.plan(Step::Get, [Act::Late(ms(60))]);
        on.store.plan(Step::Acquire, [Act::Silent]);
        assert_eq!(on.call(n, AT_ONCE).await, n);
        assert!(on.engine().breaker.is_healthy(), "the server is slow, but works");
    }
}
