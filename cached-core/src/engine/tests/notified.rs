//! Waiting for the lease of another process, with a store that announces its end.

use super::*;
use crate::store::{Remove, Watcher};

const LONG: Duration = Duration::from_secs(3600);

/// A cache that receives notifications, because one of its functions uses the near cache.
fn subject() -> Subject {
    let on = Subject::new();
    on.engine().near();
    on
}

/// The times at which the register was read, without the reads that ask for a notification.
fn reads(on: &Subject) -> Vec<u64> {
    on.store.taken(Step::Get).iter().map(|get| u64::try_from(get.at.as_millis()).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_wait_ends_with_the_value() {
    let on = subject();
    on.plant_lease(9, LONG).await;
    let call = on.calling(Ok(1), AT_ONCE).await;
    sleep(ms(33)).await;
    on.plant(&on.register_of(b"7")).await;
    assert_eq!(call.await.unwrap(), Ok(7));
    assert_eq!((reads(&on), on.store.count(Step::GetWatched)), (vec![0, 33], 1));
    assert_eq!(on.misses(), [(MissReason::Leased, 1)]);
}

#[tokio::test(start_paused = true)]
async fn the_wait_ends_with_the_lease() {
    let on = subject();
    on.plant_lease(9, LONG).await;
    let call = on.calling(Ok(1), AT_ONCE).await;
    sleep(ms(33)).await;
    on.store.memory.remove(Remove::new(&on.key(), BUDGET)).await.unwrap();
    assert_eq!(call.await.unwrap(), Ok(1));
    assert_eq!((reads(&on), on.store.count(Step::Acquire)), (vec![0, 33], 2));
}

/// The change comes before the read, while its answer is on the way, and after it.
#[tokio::test(start_paused = true)]
async fn no_change_is_missed() {
    for (read, sees) in [(Act::Late(ms(10)), 10), (Act::LateAnswer(ms(10)), 10), (Act::Well, 5)] {
        let on = subject();
        on.plant_lease(9, LONG).await;
        on.store.plan(Step::GetWatched, [read.clone()]);
        let call = on.calling(Ok(1), AT_ONCE).await;
        sleep(ms(5)).await;
        on.plant(&on.register_of(b"7")).await;
        assert_eq!(call.await.unwrap(), Ok(7));
        assert_eq!(reads(&on), [0, sees], "{read:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_store_is_read_now_and_then_without_a_notification() {
    let on = subject();
    on.plant_lease(9, LONG).await;
    let call = on.calling(Ok(1), AT_ONCE).await;
    sleep(ms(250)).await;
    on.engine().near().lost();
    sleep(ms(5)).await;
    call.abort();
    assert_eq!(reads(&on), [0, 100, 200, 250]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_notify_is_read_often() {
    let on = subject();
    on.plant_lease(9, LONG).await;
    on.store.plan(Step::GetWatched, [Act::Fails(FaultKind::Disconnected), Act::Fails(FaultKind::Timeout)]);
    let call = on.calling(Ok(1), AT_ONCE).await;
    sleep(ms(40)).await;
    on.plant(&on.register_of(b"7")).await;
    assert_eq!(call.await.unwrap(), Ok(7));
    assert_eq!(reads(&on), [0, 15, 35, 40]);
    assert_eq!(on.engine().breaker(), crate::BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_no_longer_than_max_wait() {
    let on = Subject::with(|builder| builder.max_wait(ms(60)));
    on.engine().near();
    on.plant_lease(9, LONG).await;
    let (value, took) = timed(on.call(1, AT_ONCE)).await;
    assert_eq!((value, took), (1, ms(60)));
    assert_eq!(on.misses(), [(MissReason::Leased, 1), (MissReason::WaitedTooLong, 1)]);
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_no_longer_than_the_lease() {
    let on = subject();
    on.plant_lease(9, LONG).await;
    on.store.answer_acquire(Acquired::Leased(ms(5)));
    let call = on.calling(Ok(1), AT_ONCE).await;
    sleep(ms(50)).await;
    call.abort();
    assert_eq!(reads(&on)[..2], [0, 5]);
}
