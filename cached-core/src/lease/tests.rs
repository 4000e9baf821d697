use super::release::OFF_PATH;
use super::renewal::RENEWED_FOR;
use super::*;
use crate::clock::Clock;
use crate::error::FaultKind;
use crate::flight::pulse;
use crate::store::scripted::{Act, Scripted, Step};
use crate::store::{Acquire, Get, Remove};
use std::task::{Context, Poll, Waker};
use tokio::time::advance;

const TIME: Duration = Duration::from_secs(3);
const WITHIN: Duration = Duration::from_millis(100);

fn key() -> Key {
    "k".into()
}

fn at_once(store: &Arc<Scripted>) -> Arc<Releases> {
    Arc::new(Releases::at_once(Arc::clone(store) as _, Arc::default()))
}

fn lease(store: &Arc<Scripted>) -> Lease {
    Lease::new(at_once(store), key(), Purpose::NONE, TIME).unwrap()
}

async fn acquired(store: &Arc<Scripted>) -> Lease {
    let mut lease = lease(store);
    assert_eq!(lease.acquire(Replace::Nothing, WITHIN).await.unwrap(), Acquired::Granted);
    lease
}

async fn holder(store: &Scripted) -> Option<Head> {
    let register = store.memory.get(Get::new(&key(), WITHIN)).await.unwrap()?;
    Head::from_bytes(&register)
}

/// Runs the tasks that can continue.
async fn tasks() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn ids_do_not_repeat() {
    let ids: std::collections::HashSet<_> = (0..100).map(|_| random_id().unwrap()).collect();
    assert_eq!(ids.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_lease_is_released() {
    let store = Scripted::new(Clock::manual());
    let lease = acquired(&store).await;
    assert_eq!(holder(&store).await, Some(lease.head()));
    drop(lease);
    tasks().await;
    assert_eq!(holder(&store).await, None);
    assert_eq!(store.taken(Step::Release)[0].within, OFF_PATH);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_released_once_and_only_if_it_may_be_held() {
    let store = Scripted::new(Clock::manual());
    drop(lease(&store));
    tasks().await;
    assert_eq!(store.count(Step::Release), 0, "it was never asked for");

    acquired(&store).await.release(WITHIN).await.unwrap();
    assert_eq!(holder(&store).await, None, "it is released when `release` returns");
    tasks().await;
    assert_eq!(store.count(Step::Release), 1);

    acquired(&store).await.forget();
    tasks().await;
    assert_eq!(store.count(Step::Release), 1);
    assert!(holder(&store).await.is_some());

    let mut other = lease(&store);
    assert!(matches!(other.acquire(Replace::Nothing, WITHIN).await.unwrap(), Acquired::Leased(_)));
    drop(other);
    tasks().await;
    assert_eq!(store.count(Step::Release), 1, "it belongs to another caller");
}

#[tokio::test(start_paused = true)]
async fn a_lease_whose_acquire_was_not_answered_is_released() {
    for (kind, released) in
        [(FaultKind::Timeout, 1), (FaultKind::Disconnected, 1), (FaultKind::Abandoned, 1), (FaultKind::OutOfMemory, 0)]
    {
        let store = Scripted::new(Clock::manual());
        store.plan(Step::Acquire, [Act::Fails(kind)]);
        let mut lease = lease(&store);
        lease.acquire(Replace::Nothing, WITHIN).await.unwrap_err();
        drop(lease);
        tasks().await;
        assert_eq!(store.count(Step::Release), released, "{kind}");
    }

    let store = Scripted::new(Clock::manual());
    store.plan(Step::Acquire, [Act::LateAnswer(WITHIN)]);
    let mut lease = lease(&store);
    // Dropped while it waits for the answer.
    tokio::time::timeout(WITHIN / 2, lease.acquire(Replace::Nothing, WITHIN)).await.unwrap_err();
    drop(lease);
    tasks().await;
    assert_eq!(holder(&store).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_short_at_first_and_then_renewed_every_third_of_its_time() {
    let clock = Clock::manual();
    let store = Scripted::new(clock.clone());
    let mut lease = acquired(&store).await;
    lease.keep_alive(None);
    tasks().await;
    assert_eq!(store.count(Step::Renew), 0, "it is fresh");
    let mut due = vec![TIME / 4 / 3];
    due.extend([TIME / 3; 29]);
    for pause in due {
        clock.advance(pause);
        advance(pause).await;
        tasks().await;
        assert_eq!(holder(&store).await, Some(lease.head()));
    }
    let renewals = store.taken(Step::Renew);
    let times: Vec<_> = renewals.iter().map(|renewal| renewal.at).collect();
    assert_eq!(times, (0..30).map(|nth| TIME / 4 / 3 + nth * TIME / 3).collect::<Vec<_>>());
    assert!(renewals.iter().all(|renewal| renewal.within == TIME / 4 / 6));

    drop(lease);
    advance(TIME).await;
    tasks().await;
    assert_eq!(store.count(Step::Renew), 30, "nobody needs it any more");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_not_renewed_ends_after_a_quarter_of_its_time() {
    for (time, left) in [(TIME, TIME / 4), (TIME / 5, Duration::from_millis(500)), (WITHIN, WITHIN)] {
        let clock = Clock::manual();
        let store = Scripted::new(clock.clone());
        let mut lease = Lease::new(at_once(&store), key(), Purpose::NONE, time).unwrap();
        lease.acquire(Replace::Nothing, WITHIN).await.unwrap();
        clock.advance(left.saturating_sub(Duration::from_millis(1)));
        assert_eq!(holder(&store).await, Some(lease.head()), "{time:?}");
        clock.advance(Duration::from_millis(1));
        assert_eq!(holder(&store).await, None, "{time:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_granted_after_its_release_is_released_again() {
    for is_in_batch in [false, true] {
        let store = Scripted::new(Clock::manual());
        let releases = at_once(&store);
        let releases = if is_in_batch { Arc::new(releases.of_batch()) } else { releases };
        let mut late = Lease::new(releases, key(), Purpose::NONE, TIME).unwrap();
        store.plan(Step::Acquire, [Act::Silent]);
        tokio::time::timeout(WITHIN / 2, late.acquire(Replace::Nothing, WITHIN)).await.unwrap_err();
        let head = late.head();
        drop(late);
        tokio::time::sleep(WITHIN).await;
        let released = store.count(Step::Release);
        assert!(released > 1, "it is repeated");
        // The ACQUIRE arrives only now.
        store.memory.acquire(Acquire::new(&key(), head, TIME, WITHIN)).await.unwrap();
        tokio::time::sleep(2 * OFF_PATH).await;
        assert_eq!(holder(&store).await, None);
        assert!(store.count(Step::Release) < 12, "{} releases", store.count(Step::Release));
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_is_tried_again_until_the_lease_is_lost() {
    let store = Scripted::new(Clock::manual());
    let mut lease = acquired(&store).await;
    lease.keep_alive(None);
    store.plan(Step::Renew, [Act::Fails(FaultKind::Timeout)]);
    tokio::time::sleep(TIME + WITHIN).await;
    let times: Vec<_> = store.taken(Step::Renew).iter().map(|renewal| renewal.at.as_millis()).collect();
    assert_eq!(times, [250, 500, 1_500, 2_500], "again before the lease ends, which was never renewed");
    store.memory.remove(Remove::new(&key(), WITHIN)).await.unwrap();
    tokio::time::sleep(TIME + WITHIN).await;
    assert_eq!(store.count(Step::Renew), 5);
}

#[tokio::test(start_paused = true)]
async fn a_load_that_hangs_loses_its_lease() {
    let store = Scripted::new(Clock::manual());
    let mut lease = acquired(&store).await;
    lease.keep_alive(None);
    tokio::time::sleep(3 * RENEWED_FOR).await;
    assert_eq!(store.count(Step::Renew), 61);
}

#[test]
fn without_a_runtime_a_lease_ends_by_itself() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let store = Scripted::new(Clock::manual());
    let lease = runtime.block_on(acquired(&store));
    drop(lease);
    runtime.block_on(tasks());
    assert_eq!(store.count(Step::Release), 0);
}

#[tokio::test(start_paused = true)]
async fn a_load_that_is_not_polled_loses_its_lease() {
    let store = Scripted::new(Clock::manual());
    let mut lease = acquired(&store).await;
    let pulse = Pulse::new();
    let poll = |result: Poll<()>| {
        let _ = pulse::poll(Some(&pulse), &mut Context::from_waker(Waker::noop()), |_| result);
    };
    poll(Poll::Pending);
    lease.keep_alive(Some(Arc::clone(&pulse)));
    tokio::time::sleep(10 * TIME).await;
    let renewed = store.count(Step::Renew);
    assert!(renewed > 20, "it waits for its database");
    pulse.becomes_ready();
    tokio::time::sleep(10 * TIME).await;
    assert!(store.count(Step::Renew) <= renewed + 1, "it could continue");
    let renewed = store.count(Step::Renew);
    poll(Poll::Pending);
    tokio::time::sleep(TIME).await;
    assert!(store.count(Step::Renew) > renewed, "it has continued, and nobody has taken its place");
}

#[test]
fn a_lease_contains_the_purpose_of_its_load_and_a_token_contains_none() {
    for bits in [0, 1, 1 << 16, 0x0123_4567_89ab_cdef, u64::MAX] {
        let purpose = Purpose::of(bits);
        assert_ne!(purpose, Purpose::NONE);
        assert_eq!(Purpose::of_lease(Head::lease(purpose.id().unwrap())), purpose);
    }
    assert_ne!(Purpose::of(1), Purpose::of(1 << 8));
    assert_ne!(Purpose::beside(1 << 64), Purpose::beside(2 << 64));
    assert_eq!(Purpose::of_lease(writer().unwrap()), Purpose::NONE);
}
