//! Storing loaded values.

use super::*;
use crate::envelope::tags::MAX_TAGS;

#[tokio::test(start_paused = true)]
async fn a_slow_store_does_not_hold_up_the_caller() {
    let on = Subject::new();
    on.store.plan(Step::Fill, [Act::Late(ms(80))]);
    let (_, took) = timed(on.call(1, AT_ONCE)).await;
    assert_eq!((took, on.stats().stored), (AT_ONCE, 0));
    let ((), took) = timed(on.cache.flush()).await;
    assert_eq!((took, on.stats().stored), (ms(80), 1));
    assert_eq!(on.store.taken(Step::Fill)[0].within, BUDGET);
    assert_eq!(on.call(2, AT_ONCE).await, 1);
}

#[tokio::test(start_paused = true)]
async fn callers_that_came_during_the_load_share_a_value_that_is_proved_current() {
    let on = Subject::new();
    on.store.plan(Step::Fill, [Act::Late(ms(80))]);
    let leader = on.calling(Ok(1), ms(50)).await;
    let follower = on.calling(Ok(2), ms(50)).await;
    assert_eq!(leader.await.unwrap(), Ok(1));
    let (value, took) = timed(follower).await;
    assert_eq!((value.unwrap(), took), (Ok(1), ms(80)));
}

#[tokio::test(start_paused = true)]
async fn a_value_whose_lease_was_lost_is_not_stored() {
    let on = Subject::new();
    let leader = on.calling(Ok(1), ms(50)).await;
    let follower = on.calling(Ok(2), AT_ONCE).await;
    on.cache.entry("k").remove().await.unwrap();
    assert_eq!(leader.await.unwrap(), Ok(1));
    assert_eq!(follower.await.unwrap(), Ok(2), "the value may be from before the write");
    assert_eq!(on.unstored(), [(UnstoredReason::LeaseLost, 1)]);
    assert_eq!(on.stats().stored, 1);
    tasks().await;
    assert_eq!(on.store.count(Step::Release), 0, "there is nothing left to release");
}

#[tokio::test(start_paused = true)]
async fn a_failed_fill_is_counted_and_noted_by_the_breaker() {
    let on = Subject::new();
    on.store.plan(Step::Fill, [Act::Fails(FaultKind::Timeout)]);
    on.call(1, AT_ONCE).await;
    assert_eq!(on.unstored(), [(UnstoredReason::Fault, 1)]);
    assert_eq!(on.stats().stored, 0);
    assert!(!on.engine().breaker.is_healthy());
    tasks().await;
    assert_eq!(on.register().await, None, "the lease is released");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_to_a_store_whose_breaker_opened_during_the_load() {
    let on = Subject::new();
    let call = on.calling(Ok(1), ms(50)).await;
    on.open_breaker().await;
    assert_eq!(call.await.unwrap(), Ok(1));
    assert_eq!(on.unstored(), [(UnstoredReason::Fault, 1)]);
    assert_eq!(on.store.count(Step::Fill), 0);
}

#[tokio::test(start_paused = true)]
async fn a_load_that_ends_during_settled_is_stored() {
    let on = Subject::new();
    let busy = on.engine().background.ending(1).expect("nothing is being stored");
    let settled = tokio::spawn({
        let on = on.clone();
        async move { on.cache.flush().await }
    });
    tasks().await;
    assert_eq!(on.call(1, AT_ONCE).await, 1);
    assert_eq!((on.unstored().len(), settled.is_finished()), (0, false));
    drop(busy);
    settled.await.unwrap();
    assert_eq!(on.call(2, AT_ONCE).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_value_is_not_stored_when_too_many_fills_run() {
    let on = Subject::new();
    let taken = on.engine().background.ending(4096).expect("nothing is being stored");
    assert_eq!(on.call(1, AT_ONCE).await, 1);
    assert_eq!(on.unstored(), [(UnstoredReason::Overflow, 1)]);
    drop(taken);
    tasks().await;
    assert_eq!(on.register().await, None, "the lease is released");
    assert_eq!(on.call(2, AT_ONCE).await, 2);
    assert_eq!(on.call(3, AT_ONCE).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_value_with_too_many_tags_is_not_stored() {
    for (tags, stored) in [(MAX_TAGS, 1), (MAX_TAGS + 1, 0)] {
        let on = Subject::new();
        let entry = (0..tags).fold(on.cache.entry("k"), |entry, n| entry.tag(format!("t{n}")));
        entry.get_or_load(|| async { Ok::<u64, ()>(1) }).await.unwrap();
        on.cache.flush().await;
        assert_eq!(on.stats().stored, stored, "{tags} tags");
        assert_eq!(on.unstored().is_empty(), stored == 1);
    }
}
