//! A call announces a step before it takes it. Another call that comes while the answer is on its way does not share
//! it, because a write may have completed between the step and that call.
//!
//! Steps of calls that have found a value past its end are in [`fresh::announced`](super::fresh).

use super::*;

/// How long the answers are on their way.
const ON_ITS_WAY: Duration = ms(20);

/// The value 7 was read, its answer is on its way, and a write completes. Calls that came before the step share the
/// value, a later one does not.
async fn only_the_early_share(on: &Subject, early: impl IntoIterator<Item = JoinHandle<Result<u64, ()>>>) {
    on.cache.entry("k").remove().await.unwrap();
    let late = on.calling(Ok(2), AT_ONCE).await;
    for call in early {
        assert_eq!(call.await.unwrap(), Ok(7), "it came before the step");
    }
    assert_eq!(late.await.unwrap(), Ok(2), "it came after a write had completed");
}

#[tokio::test(start_paused = true)]
async fn an_acquire_that_finds_a_value() {
    let on = Subject::new();
    on.store.plan(Step::Get, [Act::LateAnswer(ms(5))]);
    on.store.plan(Step::Acquire, [Act::LateAnswer(ON_ITS_WAY)]);
    let first = on.calling(Ok(1), AT_ONCE).await;
    on.plant(&on.register_of(b"7")).await;
    sleep(ms(10)).await;
    assert_eq!(on.store.count(Step::Acquire), 1, "it is carried out");
    only_the_early_share(&on, [first]).await;
}

#[tokio::test(start_paused = true)]
async fn a_read_while_another_process_loads() {
    let on = Subject::new();
    on.plant_lease(9, Duration::from_secs(3600)).await;
    on.store.plan(Step::Get, [Act::Well, Act::Well, Act::LateAnswer(ON_ITS_WAY)]);
    let early = [on.calling(Ok(1), AT_ONCE).await, on.calling(Ok(1), AT_ONCE).await];
    sleep(ms(20)).await;
    on.plant(&on.register_of(b"7")).await;
    sleep(ms(20)).await;
    assert_eq!(on.store.count(Step::Get), 3, "the third read is carried out");
    only_the_early_share(&on, early).await;
}

#[tokio::test(start_paused = true)]
async fn a_read_after_a_notification() {
    let on = Subject::new();
    on.engine().near();
    on.plant_lease(9, Duration::from_secs(3600)).await;
    on.store.plan(Step::Get, [Act::Well, Act::LateAnswer(ON_ITS_WAY)]);
    let early = [on.calling(Ok(1), AT_ONCE).await, on.calling(Ok(1), AT_ONCE).await];
    on.plant(&on.register_of(b"7")).await;
    tasks().await;
    assert_eq!(on.store.count(Step::Get), 2, "the second read is carried out");
    only_the_early_share(&on, early).await;
}

/// Calls that have waited too long for another's load share what the first of them does.
#[tokio::test(start_paused = true)]
async fn a_read_of_late_calls() {
    let on = Subject::with(|builder| builder.max_wait(ms(100)));
    on.store.plan(Step::Get, [Act::Well, Act::LateAnswer(ms(200))]);
    let hanging = on.calling(Ok(1), ms(5_000)).await;
    let early = on.calling(Ok(1), AT_ONCE).await;
    on.plant(&on.register_of(b"7")).await;
    sleep(ms(110)).await;
    assert_eq!(on.store.count(Step::Get), 2, "its read is carried out");
    only_the_early_share(&on, [early]).await;
    hanging.abort();
}

#[tokio::test(start_paused = true)]
async fn a_load_under_a_lease() {
    let on = Subject::new();
    let first = on.calling(Ok(7), ON_ITS_WAY).await;
    only_the_early_share(&on, [first]).await;
}

#[tokio::test(start_paused = true)]
async fn a_load_without_the_store() {
    let on = Subject::new();
    on.open_breaker().await;
    let first = on.calling(Ok(7), ON_ITS_WAY).await;
    let late = on.calling(Ok(2), AT_ONCE).await;
    assert_eq!(first.await.unwrap(), Ok(7));
    assert_eq!(late.await.unwrap(), Ok(2), "the load had begun before it came");
}

#[tokio::test(start_paused = true)]
async fn a_load_while_somebody_writes() {
    let on = Subject::new();
    on.store.answer_acquire(Acquired::Writing);
    let first = on.calling(Ok(7), ON_ITS_WAY).await;
    only_the_early_share(&on, [first]).await;
}

#[tokio::test(start_paused = true)]
async fn a_fill() {
    let on = Subject::new();
    on.store.plan(Step::Fill, [Act::LateAnswer(ON_ITS_WAY)]);
    let first = on.calling(Ok(7), AT_ONCE).await;
    assert_eq!(on.store.count(Step::Fill), 1, "it is carried out");
    only_the_early_share(&on, [first]).await;
}
