//! Calls for one key in one process.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;

#[tokio::test(start_paused = true)]
async fn calls_for_one_key_share_one_load() {
    let on = Subject::new();
    let first = on.calling(Ok(1), ms(50)).await;
    let others = [on.calling(Ok(2), ms(50)).await, on.calling(Ok(3), ms(50)).await];
    assert_eq!(first.await.unwrap(), Ok(1));
    for other in others {
        assert_eq!(other.await.unwrap(), Ok(1));
    }
    let stats = on.stats();
    assert_eq!((stats.loads, stats.coalesced, stats.hits, stats.calls()), (1, 2, 0, 3));
    assert_eq!(on.store.count(Step::Get), 1, "the others do not even read");
}

#[tokio::test(start_paused = true)]
async fn after_a_failed_load_its_followers_load_side_by_side() {
    let on = Subject::new();
    let mut calls = vec![on.calling(Err(()), ms(50)).await];
    for _ in 0..9 {
        calls.push(on.calling(Err(()), ms(50)).await);
    }
    let ((), took) = timed(async {
        for call in calls {
            assert_eq!(call.await.unwrap(), Err(()));
        }
    })
    .await;
    assert_eq!(took, ms(100));
    let stats = on.stats();
    assert_eq!((stats.loads, stats.load_errors, stats.bypassed), (10, 10, 9));
    assert_eq!(on.misses(), [(MissReason::Absent, 1), (MissReason::LoadFailed, 9)]);
    assert_eq!(on.register().await, None, "the lease is released");
    assert_eq!(on.unstored(), []);
}

#[tokio::test(start_paused = true)]
async fn the_follower_of_a_leader_that_goes_away_takes_over_with_the_rest_of_the_budget() {
    let on = Subject::new();
    on.store.plan(Step::Acquire, [Act::Late(ms(60))]);
    let leader = on.calling(Ok(1), ms(50)).await;
    let follower = on.calling(Ok(2), ms(50)).await;
    sleep(ms(70)).await;
    leader.abort();
    assert_eq!(follower.await.unwrap(), Ok(2));
    assert_eq!(on.store.taken(Step::Acquire)[1].within, ms(40));
    assert_eq!(on.stats().stored, 1);
}

#[tokio::test(start_paused = true)]
async fn calls_during_a_write_load_without_a_lease() {
    let on = Subject::new();
    on.store.answer_acquire(Acquired::Writing);
    assert_eq!(on.call(1, AT_ONCE).await, 1);
    assert_eq!(on.misses(), [(MissReason::Writing, 1)]);
    assert_eq!(on.unstored(), [(UnstoredReason::NoLease, 1)]);
    assert_eq!((on.stats().bypassed, on.register().await), (1, None));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_does_not_settle_is_not_waited_for() {
    let on = Subject::new();
    // As if its runtime had stopped.
    on.store.plan(Step::Fill, [Act::LateAnswer(Duration::from_secs(60))]);
    let leader = on.calling(Ok(1), ms(50)).await;
    // The load has begun already, so this call may share the value only once it is proved current.
    let follower = on.calling(Ok(2), ms(7)).await;
    assert_eq!(leader.await.unwrap(), Ok(1));
    let (value, took) = timed(follower).await;
    assert_eq!((value.unwrap(), took), (Ok(2), BUDGET + ms(7)), "waiting for the fill uses up the budget");
    assert_eq!(on.stats().misses[&MissReason::WaitedTooLong], 1);
}

/// A call that has begun its load, which takes 5 ms, and is not polled after that.
macro_rules! kept_aside {
    ($on:ident, $leader:ident) => {
        let mut $leader = std::pin::pin!($on.call(1, ms(5)));
        std::future::poll_fn(|context| {
            assert!($leader.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        assert_eq!($on.stats().loads, 1);
        sleep(ms(5)).await;
    };
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_not_polled_is_waited_for_no_longer_than_the_budget() {
    let on = Subject::new();
    kept_aside!(on, leader);
    let first = on.calling(Ok(2), ms(7)).await;
    let (value, took) = timed(on.call(3, ms(7))).await;
    assert_eq!(took, BUDGET + ms(7));
    assert!(value > 1, "one of the two loads");
    assert_eq!(first.await.unwrap(), Ok(value), "and the other follows it");
    assert_eq!(leader.await, 1);
    on.cache.flush().await;
    let stats = on.stats();
    assert_eq!((stats.loads, stats.stored, stats.bypassed), (2, 1, 0), "its lease was free at once");
    assert_eq!(on.unstored(), [(UnstoredReason::LeaseLost, 1)]);
    assert_eq!(on.call(4, AT_ONCE).await, value);
}

#[tokio::test(start_paused = true)]
async fn the_successor_of_a_leader_that_is_not_polled_is_waited_for_twice_as_long() {
    let on = Subject::new();
    kept_aside!(on, _first);
    let mut second = std::pin::pin!(on.call(2, ms(5)));
    assert!(tokio::time::timeout(BUDGET + ms(1), second.as_mut()).await.is_err());
    assert_eq!(on.stats().loads, 2);
    sleep(ms(5)).await;
    let (value, took) = timed(on.call(3, AT_ONCE)).await;
    assert_eq!((value, took), (3, 2 * BUDGET));
}

#[tokio::test(start_paused = true)]
async fn others_are_waited_for_no_longer_than_max_wait() {
    let on = Subject::with(|builder| builder.max_wait(ms(300)));
    let leader = on.calling(Ok(1), ms(5_000)).await;
    let (value, took) = timed(on.call(2, ms(7))).await;
    assert_eq!((value, took), (2, ms(307)));
    assert_eq!(leader.await.unwrap(), Ok(1));
    assert_eq!(on.misses(), [(MissReason::Absent, 1), (MissReason::WaitedTooLong, 1)]);
}

#[tokio::test(start_paused = true)]
async fn calls_share_a_load_without_the_store() {
    let on = Subject::with(|builder| builder.load_limit(1));
    on.open_breaker().await;
    let cache = on.cache.clone();
    let in_the_way = tokio::spawn(async move {
        let load = || async {
            sleep(ms(50)).await;
            Ok::<_, ()>(0)
        };
        cache.entry("another").get_or_load(load).await
    });
    tasks().await;
    // Both come before the load begins, which has to wait for room.
    let calls = [on.calling(Ok(1), ms(10)).await, on.calling(Ok(2), ms(10)).await];
    in_the_way.await.unwrap().unwrap();
    let ((), took) = timed(async {
        for call in calls {
            assert_eq!(call.await.unwrap(), Ok(1));
        }
    })
    .await;
    assert_eq!(took, ms(10));
    let stats = on.stats();
    assert_eq!((stats.loads, stats.bypassed, stats.coalesced), (2, 2, 1));
    assert_eq!(on.misses(), [(MissReason::BreakerOpen, 2)]);
    assert_eq!(on.unstored(), [(UnstoredReason::NoLease, 2)]);
    assert_eq!(on.store.count(Step::Get), 0);
}

#[tokio::test(start_paused = true)]
async fn without_the_store_a_policy_may_still_be_the_reason_not_to_store() {
    let on = Subject::new();
    on.open_breaker().await;
    let load = || async { Ok::<_, ()>(1) };
    on.cache.entry("k").ttl(AT_ONCE).get_or_load(load).await.unwrap();
    assert_eq!(on.unstored(), [(UnstoredReason::Policy, 1)]);
}

#[tokio::test(start_paused = true)]
async fn loads_without_the_store_are_bounded() {
    // A call that has waited for `max_wait` still waits for room.
    let on = Subject::with(|builder| builder.load_limit(2).max_wait(ms(50)));
    on.open_breaker().await;
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut calls = JoinSet::new();
    for i in 0..6 {
        let (cache, now, most) = (on.cache.clone(), Arc::clone(&now), Arc::clone(&most));
        calls.spawn(async move {
            let load = || async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                sleep(ms(100)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, ()>(i)
            };
            cache.entry(format!("{i}")).get_or_load(load).await
        });
    }
    let (_, took) = timed(calls.join_all()).await;
    assert_eq!((most.load(Ordering::SeqCst), took), (2, ms(300)));
}

#[tokio::test(start_paused = true)]
async fn a_load_that_hangs_keeps_another_key_waiting_for_a_second() {
    let on = Subject::with(|builder| builder.load_limit(1).max_wait(ms(300)));
    on.open_breaker().await;
    let first = on.calling(Ok(1), ms(5_000)).await;
    let load = || async { Ok::<_, ()>(2) };
    let (value, took) = timed(on.cache.entry("another").get_or_load(load)).await;
    assert_eq!((value, took), (Ok(2), ms(1_000)));
    first.abort();
}

/// Makes two hundred calls for one key, whose load takes a second and is waited for no longer than 300 ms. Returns how
/// many loads there were, how many of them ran at once, and how long the slowest call took.
async fn calls_for_a_slow_load(on: &Subject) -> (usize, usize, Duration) {
    let (all, now, most) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let load = || async {
        all.fetch_add(1, Ordering::SeqCst);
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        sleep(ms(1_000)).await;
        now.fetch_sub(1, Ordering::SeqCst);
        Ok::<_, ()>(1)
    };
    let calls = (0..200).map(|_| on.cache.entry("k").get_or_load(load));
    let (values, took) = timed(futures_util::future::join_all(calls)).await;
    assert!(values.into_iter().all(|value| value == Ok(1)));
    (all.into_inner(), most.into_inner(), took)
}

#[tokio::test(start_paused = true)]
async fn calls_that_have_waited_for_too_long_share_one_load_once_more() {
    let on = Subject::with(|builder| builder.max_wait(ms(300)));
    // The late load begins at 300 ms and ends at 1,300 ms. By then the first value has been in the store for 300 ms,
    // and the calls that may not share the late load find it.
    assert_eq!(calls_for_a_slow_load(&on).await, (2, 2, ms(1_300)));
    let on = Subject::with(|builder| builder.max_wait(ms(300)));
    on.open_breaker().await;
    assert_eq!(calls_for_a_slow_load(&on).await, (3, 2, ms(2_300)), "without a store to read");
}

#[tokio::test(start_paused = true)]
async fn a_late_call_reads_the_store_before_it_loads() {
    let on = Subject::with(|builder| builder.load_limit(1).max_wait(ms(300)));
    let mut leader = on.calling(Ok(1), ms(500)).await;
    // Takes the only room until 900 ms.
    let other = on.engine().bulkhead.enter().await;
    let late = on.calling(Ok(2), AT_ONCE).await;
    assert_eq!((&mut leader).await.unwrap(), Ok(1));
    on.cache.flush().await;
    sleep(ms(400)).await;
    drop(other);
    assert_eq!(late.await.unwrap(), Ok(1), "the value came while it waited for room");
    assert_eq!(on.stats().loads, 1);
}

#[tokio::test(start_paused = true)]
async fn a_late_call_does_not_share_a_load_that_began_before_it_came() {
    let on = Subject::with(|builder| builder.max_wait(ms(300)));
    on.open_breaker().await;
    let first = on.calling(Ok(1), ms(5_000)).await;
    let late = on.calling(Ok(2), ms(700)).await;
    // The late load runs from 300 to 1,000 ms, and this call comes at 500.
    sleep(ms(500)).await;
    let (value, took) = timed(on.call(3, AT_ONCE)).await;
    assert_eq!((late.await.unwrap(), value, took), (Ok(2), 3, ms(500)));
    first.abort();
}
