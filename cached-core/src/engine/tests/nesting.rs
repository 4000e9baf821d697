//! Cached functions that call each other.

use super::*;

async fn ask<F: Future<Output = u64>>(on: &Subject, key: &str, body: impl FnOnce() -> F) -> u64 {
    on.cache.entry(key).get_or_load(|| async { Ok::<_, ()>(body().await) }).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_function_that_calls_itself_does_not_wait_for_itself() {
    let on = Subject::new();
    let (value, took) = timed(ask(&on, "a", || async { 1 + ask(&on, "a", || async { 1 }).await })).await;
    assert_eq!((value, took), (2, AT_ONCE));
    assert_eq!(on.misses(), [(MissReason::Absent, 1), (MissReason::SelfCall, 1)]);
    assert_eq!(on.stats().stored, 1);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_calls_itself_through_another_does_not_wait_for_itself() {
    let on = Subject::new();
    let inner = || ask(&on, "a", || async { 1 });
    let between = || async { 1 + ask(&on, "b", inner).await };
    let (value, took) = timed(ask(&on, "a", || async { 1 + between().await })).await;
    assert_eq!((value, took), (3, AT_ONCE));
    assert_eq!(on.misses(), [(MissReason::Absent, 2), (MissReason::SelfCall, 1)]);
}

#[tokio::test(start_paused = true)]
async fn the_same_key_in_another_cache_is_no_call_of_itself() {
    let (on, other) = (Subject::new(), Subject::new());
    let value = ask(&on, "a", || async { 1 + ask(&other, "a", || async { 1 }).await }).await;
    assert_eq!(value, 2);
    assert_eq!(other.misses(), [(MissReason::Absent, 1)]);
    assert_eq!(other.stats().stored, 1);
}

#[tokio::test(start_paused = true)]
async fn calls_beside_a_waiting_load_are_not_inside_of_it() {
    let on = Subject::new();
    let slow = ask(&on, "a", || async {
        sleep(ms(50)).await;
        1
    });
    let beside = async {
        sleep(ms(10)).await;
        ask(&on, "b", || async { 2 }).await
    };
    assert_eq!(tokio::join!(slow, beside), (1, 2));
    // Calls after its end are not inside of it either.
    on.cache.entry("a").remove().await.unwrap();
    assert_eq!(ask(&on, "a", || async { 3 }).await, 3);
    assert_eq!(on.misses(), [(MissReason::Absent, 3)]);
    assert_eq!(on.stats().stored, 3);
}

#[tokio::test(start_paused = true)]
async fn two_loads_that_wait_for_each_other_end_after_a_second() {
    let on = Subject::new();
    let one = |of: &'static str, other: &'static str| {
        let on = on.clone();
        tokio::spawn(async move {
            let (inner, outer) = (on.clone(), on);
            ask(&outer, of, || async move {
                sleep(ms(10)).await;
                ask(&inner, other, || async { 1 }).await
            })
            .await
        })
    };
    let (first, second) = (one("a", "b"), one("b", "a"));
    let (_, took) = timed(async { (first.await.unwrap(), second.await.unwrap()) }).await;
    assert_eq!(took, ms(1_010));
    // The first of the two that gives up frees the other.
    assert_eq!(on.stats().misses[&MissReason::WaitedTooLong], 1);
}

#[tokio::test(start_paused = true)]
async fn a_load_inside_of_another_needs_no_room_of_its_own() {
    let on = Subject::with(|builder| builder.load_limit(1));
    on.open_breaker().await;
    let (value, took) = timed(ask(&on, "a", || async { 1 + ask(&on, "b", || async { 1 }).await })).await;
    assert_eq!((value, took), (2, AT_ONCE));
}
