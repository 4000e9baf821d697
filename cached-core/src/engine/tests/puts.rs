//! Puts: their value is stored unless another write has overlapped them.

use super::*;
use crate::invalidation::{Invalidation, Outcome};
use crate::{redis_cached, redis_put};

#[redis_cached(key = "k", skip(on, value), cache = on.cache)]
async fn find(on: &Subject, value: u64) -> u64 {
    let _ = on;
    value
}

#[redis_put(key = "k", cache = on.cache)]
async fn put(on: &Subject, value: u64, takes: Duration) -> u64 {
    let _ = on;
    if takes > Duration::ZERO {
        sleep(takes).await;
    }
    value
}

#[derive(crate::CacheEvent)]
struct Own;

#[derive(crate::CacheEvent)]
struct Others;

#[redis_cached(key = "t", tags = ["a"], invalidate_on = [Own, Others], skip(on, value), cache = on.cache)]
async fn find_tagged(on: &Subject, value: u64) -> u64 {
    let _ = on;
    value
}

#[redis_put(key = "t", tags = ["a"], invalidate_on = [Own, Others], Own, cache = on.cache)]
async fn put_tagged(on: &Subject, value: u64) -> u64 {
    let _ = on;
    value
}

impl Subject {
    /// Starts a put as a task that has run as far as it can without time passing.
    async fn putting(&self, value: u64, takes: Duration) -> JoinHandle<u64> {
        let subject = self.clone();
        let putting = tokio::spawn(async move { put(&subject, value, takes).await });
        tasks().await;
        putting
    }

    fn put_stats(&self) -> (u64, Vec<(UnstoredReason, u64)>) {
        let stats = self.stats_of("put");
        (stats.stored, stats.unstored.into_iter().collect())
    }
}

/// Otherwise its marker would count as a write in progress until it runs out, long after the write.
#[tokio::test(start_paused = true)]
async fn a_begin_that_was_carried_out_though_its_connection_broke_is_ended() {
    let on = Subject::new();
    on.store.plan(Step::Begin, [Act::Breaks]);
    assert_eq!(put(&on, 1, AT_ONCE).await, 1);
    assert_eq!(on.put_stats(), (1, vec![]), "the second one has its token");
    assert_eq!(find(&on, 2).await, 1);
    on.cache.entry("k").remove().await.unwrap();
    find(&on, 2).await;
    on.cache.flush().await;
    assert_eq!(find(&on, 3).await, 2, "nobody is writing any more");
}

#[tokio::test(start_paused = true)]
async fn the_value_of_a_put_is_found() {
    let on = Subject::new();
    assert_eq!(put(&on, 1, AT_ONCE).await, 1);
    assert_eq!(find(&on, 2).await, 1);
    assert_eq!((on.store.count(Step::Begin), on.store.count(Step::End), on.store.count(Step::Tag)), (1, 1, 0));
    assert_eq!(on.put_stats(), (1, vec![]));
}

/// The tag that the put invalidates itself stands between tags that it does not, and each has its own stamp.
#[tokio::test(start_paused = true)]
async fn a_put_records_each_tag_s_own_stamp() {
    let on = Subject::new();
    for entry in [on.cache.entry("of a").tag("a"), on.cache.entry("of others").invalidate_on(&Others)] {
        entry.get_or_load(|| async { Ok::<u64, ()>(0) }).await.unwrap();
    }
    assert_eq!(put_tagged(&on, 1).await, 1);
    assert_eq!(find_tagged(&on, 2).await, 1);
    let invalidations =
        [Invalidation::new().tag("a"), Invalidation::new().event(&Own), Invalidation::new().event(&Others)];
    for (at, invalidation) in invalidations.into_iter().enumerate() {
        assert_eq!(put_tagged(&on, 3).await, 3);
        assert_eq!(on.cache.invalidate(invalidation).await, Outcome::Applied);
        assert_eq!(find_tagged(&on, 4).await, 4, "{at}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_puts_that_overlap_are_not_stored() {
    let on = Subject::new();
    let (first, second) = (on.putting(1, ms(50)).await, on.putting(2, ms(20)).await);
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (1, 2));
    assert_eq!(on.register().await, None);
    assert_eq!(on.put_stats(), (0, vec![(UnstoredReason::LeaseLost, 2)]));
}

#[tokio::test(start_paused = true)]
async fn a_put_overlapped_by_an_invalidation_is_not_stored() {
    let on = Subject::new();
    let putting = on.putting(1, ms(50)).await;
    assert_eq!(on.cache.invalidate(Invalidation::new().key("k")).await, Outcome::Applied);
    assert_eq!(putting.await.unwrap(), 1);
    assert_eq!(find(&on, 2).await, 2);
}

/// The model's `put_token_again`.
#[tokio::test(start_paused = true)]
async fn a_lost_token_does_not_come_back() {
    let on = Subject::new();
    let marker = Duration::from_secs(10);
    // Its marker runs out before it is extended.
    on.store.plan(Step::Begin, [Act::Well, Act::Fails(FaultKind::ReadOnly), Act::Fails(FaultKind::ReadOnly)]);
    let putting = on.putting(1, marker + ms(1_000)).await;
    on.clock.advance(marker);
    sleep(marker * 2 / 3 + ms(1)).await;
    assert_eq!(on.store.count(Step::Begin), 3);
    let ((), outcome) = on.cache.write(Invalidation::new().key("k"), async {}).await;
    assert_eq!(outcome, Outcome::Applied, "another write has come and gone");
    assert_eq!(putting.await.unwrap(), 1);
    assert!(on.store.count(Step::Begin) > 4, "it was extended once more");
    assert_eq!(on.register().await, None);
    assert_eq!(on.put_stats(), (0, vec![(UnstoredReason::LeaseLost, 1)]));
}

#[tokio::test(start_paused = true)]
async fn a_begin_on_a_broken_connection_is_repeated() {
    let on = Subject::new();
    on.store.plan(Step::Begin, [Act::Fails(FaultKind::Disconnected)]);
    assert_eq!(put(&on, 1, AT_ONCE).await, 1);
    assert_eq!(find(&on, 2).await, 1);
    assert_eq!(on.stats_of("put").unbracketed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_put_without_its_bracket_only_removes_the_entry() {
    let on = Subject::new();
    find(&on, 1).await;
    on.store.plan(Step::Begin, [Act::Fails(FaultKind::ReadOnly)]);
    assert_eq!(put(&on, 2, AT_ONCE).await, 2);
    assert_eq!(on.register().await, None);
    assert_eq!(on.put_stats(), (0, vec![(UnstoredReason::NoLease, 1)]));
}
