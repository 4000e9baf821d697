//! Calls while the store works.

use super::*;
use crate::engine::call::{Call, Load, read};
use crate::engine::policy::Policy;
use crate::near::keep::Unkept;
use crate::outcome::Value;

#[tokio::test(start_paused = true)]
async fn the_second_call_is_a_hit() {
    let on = Subject::new();
    assert_eq!(on.call(1, AT_ONCE).await, 1);
    let size = on.register().await.unwrap().len() as u64;
    assert_eq!(on.call(2, AT_ONCE).await, 1);
    let stats = on.stats();
    assert_eq!((stats.hits, stats.coalesced, stats.loads, stats.bypassed), (1, 0, 1, 0));
    assert_eq!((stats.unserved, stats.load_errors, stats.lease_waits), (0, 0, 0));
    assert_eq!((stats.stored, stats.bytes_written, stats.bytes_read), (1, size, size));
    assert_eq!(on.misses(), [(MissReason::Absent, 1)]);
    assert_eq!(on.unstored(), []);
    let count = |step| on.store.count(step);
    assert_eq!((count(Step::Get), count(Step::Acquire), count(Step::Fill), count(Step::Release)), (2, 1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_value_lives_for_its_class() {
    let on = Subject::new();
    on.call(1, AT_ONCE).await;
    on.clock.advance(Duration::from_secs(599));
    assert_eq!(on.call(2, AT_ONCE).await, 1);
    on.clock.advance(Duration::from_secs(1));
    assert_eq!(on.call(3, AT_ONCE).await, 3);
}

#[tokio::test(start_paused = true)]
async fn times_to_live_are_spread() {
    let on = Subject::with(|builder| builder.jitter(0.5));
    for i in 0..64 {
        on.cache.entry(format!("{i}")).set(&i).await.unwrap();
    }
    on.clock.advance(Duration::from_secs(600));
    let mut left = 0;
    for i in 0..64 {
        left += u32::from(on.cache.entry(format!("{i}")).get::<i32>().await.is_some());
    }
    assert!((1..64).contains(&left), "{left} of 64");
}

#[tokio::test(start_paused = true)]
async fn a_none_lives_for_its_own_class() {
    let on = Subject::new();
    let ask = async |otherwise: Option<u64>| {
        let load = || async move { Ok::<_, ()>(otherwise) };
        on.cache.entry("k").get_or_load_option(load).await.unwrap()
    };
    assert_eq!(ask(None).await, None);
    on.clock.advance(Duration::from_secs(59));
    assert_eq!(ask(Some(1)).await, None);
    on.clock.advance(Duration::from_secs(1));
    assert_eq!(ask(Some(2)).await, Some(2));
    assert_eq!((on.stats().hits, on.stats().loads), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_stored_none_is_a_miss_for_a_type_without_none() {
    let on = Subject::new();
    let nothing = || async { Ok::<Option<u64>, ()>(None) };
    on.cache.entry("k").get_or_load_option(nothing).await.unwrap();
    assert_eq!(on.call(1, AT_ONCE).await, 1);
    assert_eq!(on.misses(), [(MissReason::Absent, 1), (MissReason::Type, 1)]);
    assert_eq!(on.call(2, AT_ONCE).await, 1, "it took the place of the `None`");
}

/// A call with a policy, as an attribute would make it.
async fn with_policy(on: &Subject, policy: &Policy<u64>, value: u64) -> u64 {
    let site = on.engine().site(&crate::site::by_hand::ENTRY);
    let call = Call::of(Arc::clone(on.engine()), site, Ok(on.key()), "");
    match read(call.typed(Value::<u64>::default()), Value::<u64>::default(), Unkept).await {
        Ok(value) => value,
        Err(load) => settle(load, policy, value).await,
    }
}

async fn settle(mut load: Load, policy: &Policy<u64>, value: u64) -> u64 {
    let returned = load.run(policy, async { value }).await;
    load.settle(Value::default(), policy, returned)
}

#[tokio::test(start_paused = true)]
async fn a_policy_decides_the_time_to_live() {
    let live_for = async |policy: Policy<u64>, value| {
        let on = Subject::new();
        with_policy(&on, &policy, value).await;
        let mut lived = 0;
        while on.register().await.is_some() {
            on.clock.advance(Duration::from_secs(1));
            lived += 1;
        }
        lived
    };
    let policy = Policy::default;
    assert_eq!(live_for(policy(), 5).await, 600);
    assert_eq!(live_for(policy().ttl(Duration::from_secs(7)), 5).await, 7);
    assert_eq!(live_for(policy().ttl_of(|value| Duration::from_secs(*value)), 5).await, 5);
    let both = policy().ttl(Duration::from_secs(7)).ttl_of(|value| Duration::from_secs(*value));
    assert_eq!(live_for(both, 5).await, 5);
    assert_eq!(live_for(policy().cache_if(|value| *value > 4), 5).await, 600);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_the_policy_rejects_is_not_stored_and_its_lease_is_released() {
    let on = Subject::new();
    let policies = [Policy::default().cache_if(|_| false), Policy::default().ttl(AT_ONCE)];
    for (i, policy) in (1..).zip(policies) {
        assert_eq!(with_policy(&on, &policy, i).await, i);
        assert_eq!(on.register().await, None, "its lease is released");
        assert_eq!(on.unstored(), [(UnstoredReason::Policy, i)]);
    }
    let releases = on.store.taken(Step::Release);
    assert!(releases.len() == 2 && releases.iter().all(|release| release.within == BUDGET), "{releases:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_key_cannot_be_rendered_runs_uncached() {
    let on = Subject::new();
    let site = on.engine().site(&crate::site::by_hand::ENTRY);
    let call = Call::of(Arc::clone(on.engine()), site, Err("id"), "");
    let load = read(call.typed(Value::<u64>::default()), Value::<u64>::default(), Unkept).await.unwrap_err();
    assert_eq!(settle(load, &Policy::default(), 5).await, 5);
    let stats = on.stats();
    assert_eq!((stats.loads, stats.bypassed), (1, 1));
    assert_eq!(on.misses(), [(MissReason::Key, 1)]);
    assert_eq!(on.store.count(Step::Get), 0);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_too_large_is_returned_and_not_stored() {
    let on = Subject::with(|builder| builder.max_value_bytes(10));
    let ask = async |key: &str, text: &str| {
        let text = text.to_owned();
        on.cache.entry(key).get_or_load(|| async { Ok::<_, ()>(text) }).await.unwrap()
    };
    // With the quotes that JSON adds.
    assert_eq!(ask("a", "12345678").await, "12345678");
    assert_eq!(on.unstored(), []);
    assert_eq!(ask("b", "123456789").await, "123456789");
    assert_eq!(on.unstored(), [(UnstoredReason::TooLarge, 1)]);
    assert_eq!(on.stats().stored, 1);
}

#[test]
fn outside_of_tokio_functions_run_uncached() {
    use std::task::{Context, Poll, Waker};
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let on = runtime.block_on(async { Subject::new() });
    let mut context = Context::from_waker(Waker::noop());
    for n in 1..3 {
        assert_eq!(std::pin::pin!(on.call(n, AT_ONCE)).poll(&mut context), Poll::Ready(n));
        assert_eq!(std::pin::pin!(on.cache.entry("k").get::<u64>()).poll(&mut context), Poll::Ready(None));
    }
    assert_eq!(on.store.count(Step::Get), 0);
    assert_eq!(on.stats_of("Cache::entry").misses[&MissReason::NoRuntime], 2);
    let stats = on.stats();
    assert_eq!((stats.loads, stats.bypassed, stats.misses[&MissReason::NoRuntime]), (2, 2, 2));
}
