//! Waiting for the lease of another process.

use super::*;
use crate::store::Remove;

/// The times at which the register was read.
fn reads(on: &Subject) -> Vec<u64> {
    on.store.taken(Step::Get).iter().map(|get| u64::try_from(get.at.as_millis()).unwrap()).collect()
}

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn the_wait_ends_with_the_value() {
    let on = Subject::new();
    on.plant_lease(9, LONG).await;
    let call = on.calling(Ok(1), AT_ONCE).await;
    sleep(ms(80)).await;
    on.plant(&on.register_of(b"7")).await;
    assert_eq!(call.await.unwrap(), Ok(7));
    assert_eq!(reads(&on), [0, 15, 35, 55, 75, 95]);
    let stats = on.stats();
    assert_eq!((stats.hits, stats.loads, stats.lease_waits), (1, 0, 1));
    assert_eq!(on.misses(), [(MissReason::Leased, 1)]);
}

#[tokio::test(start_paused = true)]
async fn the_lease_is_taken_over_when_it_is_free() {
    let on = Subject::new();
    on.plant_lease(9, LONG).await;
    let call = on.calling(Ok(1), AT_ONCE).await;
    on.store.memory.remove(Remove::new(&on.key(), BUDGET)).await.unwrap();
    assert_eq!(call.await.unwrap(), Ok(1));
    assert_eq!(reads(&on), [0, 15]);
    assert_eq!((on.store.count(Step::Acquire), on.stats().stored), (2, 1));
    assert_eq!(on.misses(), [(MissReason::Leased, 1)], "why it did not hit is counted once");
}

#[tokio::test(start_paused = true)]
async fn one_load_is_waited_for_and_not_the_next() {
    let on = Subject::new();
    on.plant_lease(9, LONG).await;
    let call = on.calling(Ok(1), AT_ONCE).await;
    sleep(ms(20)).await;
    on.plant_lease(10, LONG).await;
    assert_eq!(call.await.unwrap(), Ok(1));
    assert_eq!(reads(&on), [0, 15, 35]);
    assert_eq!(on.misses(), [(MissReason::Leased, 1), (MissReason::WaitedTooLong, 1)]);
    assert_eq!((on.stats().bypassed, on.unstored()), (1, vec![(UnstoredReason::NoLease, 1)]));
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_no_longer_than_max_wait() {
    for (max_wait, until) in [(55, 35), (56, 55)] {
        let on = Subject::with(|builder| builder.max_wait(ms(max_wait)));
        on.plant_lease(9, LONG).await;
        let (value, took) = timed(on.call(1, AT_ONCE)).await;
        assert_eq!((value, took), (1, ms(until)), "at most {max_wait} ms");
        assert_eq!(on.misses(), [(MissReason::Leased, 1), (MissReason::WaitedTooLong, 1)]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_no_longer_than_the_lease() {
    for (left, read_at) in [(ms(5), 5), (AT_ONCE, 1)] {
        let on = Subject::new();
        on.store.answer_acquire(Acquired::Leased(left));
        on.call(1, AT_ONCE).await;
        assert_eq!(reads(&on), [0, read_at]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unusable_register_at_the_end_of_the_wait_is_replaced() {
    let on = Subject::new();
    on.plant_lease(9, LONG).await;
    let call = on.calling(Ok(1), AT_ONCE).await;
    on.plant(b"garbage").await;
    assert_eq!(call.await.unwrap(), Ok(1));
    assert_eq!(on.misses(), [(MissReason::Leased, 1), (MissReason::Foreign, 1)]);
    assert_eq!(on.stats().stored, 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_during_the_wait_is_not_asked_again() {
    let on = Subject::new();
    on.plant_lease(9, LONG).await;
    on.store.plan(Step::Get, [Act::Well, Act::Fails(FaultKind::Refused)]);
    assert_eq!(on.call(1, AT_ONCE).await, 1);
    assert_eq!(on.misses(), [(MissReason::Leased, 1), (MissReason::Refused, 1)]);
    assert_eq!((on.store.count(Step::Acquire), on.stats().bypassed), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn neither_pauses_nor_reads_in_vain_use_up_the_budget() {
    let on = Subject::new();
    on.plant_lease(9, LONG).await;
    on.store.plan(Step::Get, [Act::Late(ms(20)), Act::Late(ms(25)), Act::Late(ms(30)), Act::Well]);
    on.store.plan(Step::Acquire, [Act::Late(ms(10))]);
    let call = on.calling(Ok(1), AT_ONCE).await;
    sleep(ms(180)).await;
    call.abort();
    let within = |step| on.store.taken(step).iter().map(|taken| taken.within.as_millis()).collect::<Vec<_>>();
    assert_eq!(within(Step::Acquire), [80]);
    assert_eq!(within(Step::Get)[..5], [100, 70, 70, 70, 70]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_has_used_up_its_budget_does_not_ask_the_store_again() {
    let on = Subject::new();
    on.store.plan(Step::Get, [Act::Late(ms(95)), Act::Late(BUDGET)]);
    on.call(1, AT_ONCE).await;
    assert_eq!(on.store.taken(Step::Acquire)[0].within, ms(5));
    on.store.memory.remove(Remove::new(&on.key(), BUDGET)).await.unwrap();
    let (value, took) = timed(on.call(2, AT_ONCE)).await;
    assert_eq!((value, took, on.store.count(Step::Acquire)), (2, BUDGET, 1));
}

#[tokio::test(start_paused = true)]
async fn followers_do_not_pay_for_the_reads_of_a_leader_that_waits() {
    let on = Subject::new();
    on.plant_lease(9, LONG).await;
    on.store.plan(Step::Get, vec![Act::Late(ms(5)); 100]);
    let leader = on.calling(Ok(1), AT_ONCE).await;
    sleep(ms(10)).await;
    let follower = on.calling(Ok(2), AT_ONCE).await;
    sleep(ms(1_500)).await;
    // The leader has been reading for far longer than a budget.
    assert!(on.store.count(Step::Get) > 40);
    leader.abort();
    on.store.memory.remove(Remove::new(&on.key(), BUDGET)).await.unwrap();
    assert_eq!(follower.await.unwrap(), Ok(2));
    tasks().await;
    assert_eq!((on.stats().stored, on.stats().bypassed), (1, 0), "it has loaded under a lease of its own");
}

/// The ACQUIRE was carried out, and its connection broke.
#[tokio::test(start_paused = true)]
async fn a_batch_releases_an_unanswered_lease_before_it_loads() {
    let on = Subject::new();
    on.store.plan(Step::Acquire, [Act::Breaks]);
    let subject = on.clone();
    let batch = tokio::spawn(async move {
        let load = |keys: Vec<&'static str>| async {
            sleep(LONG).await;
            Ok::<_, ()>(keys.into_iter().map(|key| (key, 1_u64)).collect())
        };
        subject.cache.entries(&["k"], |key| (*key).to_owned()).get_or_load(load).await
    });
    sleep(BUDGET).await;
    assert_eq!(on.register().await, None, "its lease is released");
    assert_eq!(batch.await.unwrap().unwrap()["k"], 1);
}
