//! The end of a cache: what it waits for, for how long, and what calls see afterwards.

use super::*;
use crate::{CacheError, Invalidation, Outcome, Unfinished};

const LONG: Duration = Duration::from_secs(60);

fn what() -> Invalidation {
    Invalidation::new().key("k")
}

/// The report of a shut-down that left so many values, invalidations and leases.
fn left(values: usize, invalidations: usize, leases: usize) -> Unfinished {
    Unfinished { values, invalidations, leases, ..Unfinished::default() }
}

#[tokio::test(start_paused = true)]
async fn it_waits_until_a_loaded_value_is_stored() {
    let on = Subject::new();
    on.store.plan(Step::Fill, [Act::Late(ms(80))]);
    on.call(1, AT_ONCE).await;
    assert_eq!(timed(on.cache.shutdown(LONG)).await, (left(0, 0, 0), ms(80)));
    assert_eq!(on.stats().stored, 1);
}

#[tokio::test(start_paused = true)]
async fn it_waits_until_the_lease_of_a_call_that_was_dropped_is_released() {
    let on = Subject::new();
    on.store.plan(Step::Release, [Act::Late(ms(300))]);
    on.calling(Ok(1), LONG).await.abort();
    tasks().await;
    assert_eq!(timed(on.cache.shutdown(LONG)).await, (left(0, 0, 0), ms(300)));
    assert_eq!(on.register().await, None, "nobody waits for a lease");
}

#[tokio::test(start_paused = true)]
async fn it_waits_until_queued_invalidations_are_applied() {
    let on = Subject::new();
    on.call(1, AT_ONCE).await;
    on.store.plan(Step::RemoveAll, std::iter::repeat_n(Act::Fails(FaultKind::Disconnected), 5));
    assert_eq!(on.cache.invalidate(what()).await, Outcome::Queued);
    let unfinished = on.cache.shutdown(LONG).await;
    assert!(unfinished.is_empty(), "{unfinished}");
    assert_eq!(on.register().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_ends_meanwhile_is_still_applied() {
    let on = Subject::new();
    on.store.plan(Step::Fill, [Act::Late(ms(80))]);
    on.call(1, AT_ONCE).await;
    let shutdown = tokio::spawn({
        let on = on.clone();
        async move { on.cache.shutdown(LONG).await }
    });
    tasks().await;
    on.store.plan(Step::RemoveAll, std::iter::repeat_n(Act::Fails(FaultKind::ReadOnly), 3));
    assert_eq!(on.cache.invalidate(what()).await, Outcome::Queued);
    assert_eq!(shutdown.await.unwrap(), left(0, 0, 0));
    assert_eq!(on.register().await, None);
}

#[tokio::test(start_paused = true)]
async fn it_never_takes_longer_than_it_may_and_says_what_is_left() {
    for within in [AT_ONCE, ms(1), ms(50)] {
        let on = Subject::new();
        on.store.plan(Step::Release, [Act::Silent, Act::Silent]);
        on.calling(Ok(1), LONG).await.abort();
        tasks().await;
        on.store.plan(Step::RemoveAll, std::iter::repeat_n(Act::Silent, 9));
        let both = Invalidation::new().key("k").tag("t");
        assert_eq!(on.cache.invalidate(both).await, Outcome::Queued);
        on.store.plan(Step::Fill, [Act::Silent]);
        on.cache.entry("other").get_or_load(|| async { Ok::<_, ()>(1_u64) }).await.unwrap();
        let (unfinished, took) = timed(on.cache.shutdown(within)).await;
        assert_eq!(took, within);
        assert_eq!(unfinished, left(1, 3, 1), "{within:?}");
        assert_eq!(
            unfinished.to_string(),
            "1 value not stored, 3 invalidations not applied, 1 lease not returned",
            "{within:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_left_of_the_queue_is_not_tried_any_more() {
    let on = Subject::new();
    on.store.plan(Step::RemoveAll, std::iter::repeat_n(Act::Fails(FaultKind::Disconnected), 1_000));
    assert_eq!(on.cache.invalidate(what()).await, Outcome::Queued);
    assert_eq!(on.cache.shutdown(ms(10)).await, left(0, 1, 0));
    sleep(LONG).await;
    let tries = on.store.count(Step::RemoveAll);
    sleep(LONG).await;
    assert_eq!(on.store.count(Step::RemoveAll), tries);
    assert_eq!(timed(on.cache.shutdown(LONG)).await, (left(0, 0, 0), AT_ONCE), "it was said once that they are lost");
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_became_a_sweep_is_left_as_one() {
    let on = Subject::new();
    let many: Vec<_> = (0..=on.engine().queue.most()).map(|n| Key::from(n.to_string().as_str())).collect();
    on.store.plan(Step::Sweep, [Act::Silent]);
    assert_eq!(on.engine().enqueue(&many, None), Outcome::Queued);
    let unfinished = on.cache.shutdown(ms(10)).await;
    assert_eq!(unfinished, Unfinished { sweep: true, ..Unfinished::default() });
    assert_eq!(unfinished.to_string(), "1 namespace not removed");
}

#[tokio::test(start_paused = true)]
async fn afterwards_calls_run_uncached_and_share_their_loads() {
    let on = Subject::new();
    assert_eq!(on.call(1, AT_ONCE).await, 1);
    assert!(on.cache.shutdown(LONG).await.is_empty() && on.cache.stats().shut_down);
    let before = (on.store.count(Step::Get), on.store.count(Step::Acquire));
    let leader = on.calling(Ok(2), ms(50)).await;
    let followers = [on.calling(Ok(3), ms(50)).await, on.calling(Ok(3), ms(50)).await];
    assert_eq!(leader.await.unwrap(), Ok(2));
    for follower in followers {
        assert_eq!(follower.await.unwrap(), Ok(3), "without the store, a load counts that began after they came");
    }
    assert_eq!(on.stats().loads, 3);
    assert_eq!(on.call(4, AT_ONCE).await, 4, "nothing is stored");
    assert_eq!(on.cache.entry("k").get::<u64>().await, None);
    assert!(matches!(on.cache.entry("k").set(&5_u64).await, Err(CacheError::ShutDown)));
    assert_eq!((on.store.count(Step::Get), on.store.count(Step::Acquire)), before);
    assert_eq!(on.store.count(Step::Put), 0);
    assert!(on.stats().misses[&MissReason::ShutDown] > 0 && on.misses().len() == 2, "{:?}", on.misses());
}

#[tokio::test(start_paused = true)]
async fn afterwards_writes_invalidate_or_say_that_they_did_not() {
    let on = Subject::new();
    on.call(1, AT_ONCE).await;
    assert!(on.cache.shutdown(LONG).await.is_empty());
    assert_eq!(on.cache.invalidate(what()).await, Outcome::Applied);
    assert_eq!(on.register().await, None);
    on.store.plan(Step::RemoveAll, [Act::Fails(FaultKind::Disconnected)]);
    assert_eq!(on.cache.invalidate(what()).await, Outcome::Failed, "nothing would repeat it");
    on.store.plan(Step::End, [Act::Fails(FaultKind::Disconnected)]);
    assert_eq!(on.cache.write(what(), async {}).await.1, Outcome::Failed);
    assert_eq!(on.cache.stats().pending, 0);
}

/// Other processes wait for a lease, and what a load has paid for is of use to them.
#[tokio::test(start_paused = true)]
async fn a_load_that_was_under_way_is_stored_when_it_ends() {
    let on = Subject::new();
    let call = on.calling(Ok(1), ms(500)).await;
    assert!(on.cache.shutdown(LONG).await.is_empty(), "a load that a caller runs is the caller's own");
    assert_eq!(call.await.unwrap(), Ok(1));
    on.cache.flush().await;
    assert_eq!(on.stats().stored, 1);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_is_dropped_has_begun_and_can_be_repeated() {
    let on = Subject::new();
    on.store.plan(Step::Fill, [Act::Late(ms(80))]);
    on.call(1, AT_ONCE).await;
    tokio::time::timeout(ms(10), on.cache.shutdown(LONG)).await.unwrap_err();
    assert_eq!(on.cache.entry("k").get::<u64>().await, None, "nothing is read any more");
    assert_eq!(timed(on.cache.shutdown(LONG)).await, (left(0, 0, 0), ms(70)));
}

#[test]
fn outside_of_tokio_it_waits_for_nothing() {
    use std::task::{Context, Poll, Waker};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let on = runtime.block_on(async {
        let on = Subject::new();
        on.store.plan(Step::Fill, [Act::Late(LONG)]);
        on.call(1, AT_ONCE).await;
        on
    });
    let mut context = Context::from_waker(Waker::noop());
    let polled = std::pin::pin!(on.cache.shutdown(LONG)).poll(&mut context);
    assert_eq!(polled, Poll::Ready(left(1, 0, 0)));
}

#[tokio::test(start_paused = true)]
async fn flush_waits_for_values_and_not_for_the_queue() {
    let on = Subject::new();
    on.store.plan(Step::Fill, [Act::Late(ms(80))]);
    on.call(1, AT_ONCE).await;
    on.store.plan(Step::RemoveAll, std::iter::repeat_n(Act::Fails(FaultKind::ReadOnly), 100));
    assert_eq!(on.cache.invalidate(Invalidation::new().key("other")).await, Outcome::Queued);
    assert_eq!(timed(on.cache.flush()).await, ((), ms(80)));
    assert_eq!((on.stats().stored, on.cache.stats().pending), (1, 1));
}
