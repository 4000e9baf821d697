//! Brackets, and writes while the store does not answer.

use super::*;
use crate::invalidation::{Invalidation, Outcome};
use crate::store::{Acquire, Release};

const MARKER: Duration = Duration::from_secs(10);

fn what() -> Invalidation {
    Invalidation::new().key("k")
}

impl Subject {
    /// Starts a write as a task that has run as far as it can without time passing.
    async fn writing(&self, takes: Duration) -> JoinHandle<((), Outcome)> {
        let cache = self.cache.clone();
        let write = tokio::spawn(async move { cache.write(what(), sleep(takes)).await });
        tasks().await;
        write
    }

    /// Whether a marker stands at "k".
    async fn is_marked(&self) -> bool {
        let (key, lease) = (self.key(), Head::lease(1));
        let acquired = self.store.memory.acquire(Acquire::new(&key, lease, ms(1), BUDGET)).await.unwrap();
        self.store.memory.release(Release::new(&key, lease, BUDGET)).await.unwrap();
        acquired == Acquired::Writing
    }

    fn outcomes(&self) -> (u64, u64, u64) {
        let stats = self.stats_of("Cache::write");
        (stats.applied, stats.queued, stats.failed)
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_is_marked_from_before_its_work_until_it_has_ended() {
    let on = Subject::new();
    on.call(1, AT_ONCE).await;
    let write = on.writing(ms(50)).await;
    assert_eq!(on.register().await, None, "the old value is gone before the work begins");
    assert!(on.is_marked().await);
    assert_eq!(on.call(1, AT_ONCE).await, 1);
    assert_eq!(on.register().await, None, "nothing is stored meanwhile");
    assert_eq!(write.await.unwrap().1, Outcome::Applied);
    assert!(!on.is_marked().await);
    assert_eq!((on.store.count(Step::Begin), on.store.count(Step::End)), (1, 1), "one round trip before, one after");
    assert_eq!(on.outcomes(), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_work_does_not_begin_before_its_marker_stands() {
    let on = Subject::new();
    on.store.plan(Step::Begin, [Act::Late(ms(40))]);
    let began = Instant::now();
    let (took, _) = on.cache.write(what(), async { began.elapsed() }).await;
    assert_eq!(took, ms(40));
}

#[tokio::test(start_paused = true)]
async fn a_long_write_extends_its_marker_until_its_end() {
    let on = Subject::new();
    let write = on.writing(3 * MARKER).await;
    for _ in 0..29 {
        sleep(ms(1_000)).await;
        on.clock.advance(ms(1_000));
        assert!(on.is_marked().await);
    }
    assert_eq!(on.store.count(Step::Begin), 1 + 8, "at every third of the marker's time");
    assert_eq!(write.await.unwrap().1, Outcome::Applied);
    sleep(MARKER).await;
    assert!(!on.is_marked().await);
    assert_eq!(on.store.count(Step::Begin), 1 + 8);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_goes_away_leaves_its_marker_to_run_out() {
    let on = Subject::new();
    let write = on.writing(ms(50)).await;
    write.abort();
    tasks().await;
    assert!(on.is_marked().await, "it may still be committed");
    assert_eq!((on.store.count(Step::RemoveAll), on.store.count(Step::End)), (1, 0), "the stored value is gone");
    on.clock.advance(MARKER);
    assert!(!on.is_marked().await);
    sleep(MARKER).await;
    assert_eq!(on.store.count(Step::Begin), 1, "nobody extends it");
    assert_eq!(on.stats_of("Cache::write").cancelled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_goes_away_during_its_end_is_still_applied() {
    let on = Subject::new();
    on.store.plan(Step::End, [Act::Late(ms(50))]);
    let write = on.writing(AT_ONCE).await;
    on.plant(b"an old value").await;
    write.abort();
    tasks().await;
    assert_eq!(on.register().await, None);
}

#[tokio::test(start_paused = true)]
async fn without_its_bracket_a_write_goes_ahead_or_is_refused() {
    let on = Subject::new();
    on.store.plan(Step::Begin, [Act::Fails(FaultKind::ReadOnly), Act::Fails(FaultKind::ReadOnly)]);
    let (written, outcome) = on.cache.write(what(), async { 7 }).await;
    assert_eq!((written, outcome), (7, Outcome::Applied), "END was well");
    let refused = on.cache.try_write(what(), async { panic!("it is not to run") }).await;
    assert!(refused.is_err());
    let stats = on.stats_of("Cache::write");
    assert_eq!((stats.unbracketed, stats.refused, stats.cancelled), (1, 1, 0));
    assert!(on.cache.try_write(what(), async {}).await.is_ok());
}

/// Otherwise the marker would keep loads from being stored until it runs out.
#[tokio::test(start_paused = true)]
async fn a_write_that_is_refused_leaves_no_marker() {
    let on = Subject::new();
    // BEGIN is carried out, and its answer is lost.
    on.store.plan(Step::Begin, [Act::Breaks]);
    assert!(on.cache.try_write(what(), async { panic!("it is not to run") }).await.is_err());
    on.cache.flush().await;
    on.call(1, AT_ONCE).await;
    on.cache.flush().await;
    assert_eq!(on.call(2, AT_ONCE).await, 1, "the load was stored");
}

#[tokio::test(start_paused = true)]
async fn both_ends_of_a_bracket_share_one_budget() {
    let on = Subject::new();
    on.store.plan(Step::Begin, [Act::Late(ms(60))]);
    on.store.plan(Step::End, [Act::Silent]);
    let (((), outcome), took) = timed(on.cache.write(what(), async {})).await;
    assert_eq!((outcome, took), (Outcome::Queued, BUDGET));

    let on = Subject::new();
    on.store.plan(Step::Begin, [Act::Silent]);
    on.store.plan(Step::End, [Act::Silent]);
    let (_, took) = timed(on.cache.write(what(), async {})).await;
    assert_eq!(took, ms(110), "a tenth is left for the end in any case");
}

#[tokio::test(start_paused = true)]
async fn with_an_open_breaker_nothing_is_waited_for() {
    let on = Subject::new();
    on.open_breaker().await;
    on.store.plan(Step::RemoveAll, [Act::Fails(FaultKind::Disconnected)]);
    let (((), outcome), took) = timed(on.cache.write(what(), async {})).await;
    assert_eq!((outcome, took), (Outcome::Queued, AT_ONCE));
    assert_eq!((on.store.count(Step::Begin), on.store.count(Step::End)), (0, 0));
    assert_eq!(on.stats_of("Cache::write").unbracketed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_queued_entry_is_not_served_until_the_queue_is_applied() {
    let on = Subject::new();
    on.call(1, AT_ONCE).await;
    on.store.plan(Step::RemoveAll, [Act::Fails(FaultKind::ReadOnly), Act::Fails(FaultKind::ReadOnly)]);
    assert_eq!(on.cache.invalidate(what()).await, Outcome::Queued);
    assert_eq!(on.cache.stats().pending, 1);
    assert!(on.register().await.is_some(), "the old value still stands there");
    assert_eq!(on.call(2, AT_ONCE).await, 2, "but is not served");
    assert_eq!(on.cache.entry("k").get::<u64>().await, None);
    assert_eq!(on.stats().misses[&MissReason::Pending], 2);
    assert!(
        on.cache.entry("other").get::<u64>().await.is_none() && on.store.count(Step::Get) == 2,
        "other keys are read"
    );
    assert!(on.applied(ms(1_000)).await);
    assert_eq!(on.register().await, None);
    assert_eq!(on.cache.stats().pending, 0);
    assert_eq!(on.call(2, AT_ONCE).await, 2);
    assert_eq!(on.call(3, AT_ONCE).await, 2, "it is stored again");
}

#[tokio::test(start_paused = true)]
async fn a_load_under_way_is_not_stored_once_an_invalidation_is_queued() {
    let on = Subject::new();
    let call = on.calling(Ok(1), ms(50)).await;
    on.store.plan(Step::RemoveAll, std::iter::repeat_n(Act::Fails(FaultKind::ReadOnly), 3));
    assert_eq!(on.cache.invalidate(what()).await, Outcome::Queued);
    assert_eq!(call.await.unwrap(), Ok(1));
    tasks().await;
    assert_eq!(on.store.count(Step::Fill), 0);
    assert_eq!(on.unstored(), [(UnstoredReason::Pending, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_queued_end_removes_the_marker_as_well() {
    let on = Subject::new();
    on.store.plan(Step::End, [Act::Fails(FaultKind::ReadOnly)]);
    let ((), outcome) = on.cache.write(what(), async {}).await;
    assert_eq!(outcome, Outcome::Queued);
    assert!(on.is_marked().await);
    assert!(on.applied(ms(1_000)).await);
    assert!(!on.is_marked().await);
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_tried_again_at_growing_intervals_without_end() {
    let on = Subject::new();
    on.store.plan(Step::RemoveAll, std::iter::repeat_n(Act::Fails(FaultKind::Disconnected), 40));
    assert_eq!(on.cache.invalidate(what()).await, Outcome::Queued);
    assert!(!on.applied(Duration::from_secs(20)).await);
    let tries = on.store.count(Step::RemoveAll);
    assert!((15..=35).contains(&tries), "{tries}");
    assert!(on.applied(Duration::from_secs(60)).await);
}

#[tokio::test(start_paused = true)]
async fn a_refused_invalidation_is_tried_less_and_less_often() {
    let on = Subject::new();
    on.store.plan(Step::RemoveAll, std::iter::repeat_n(Act::Fails(FaultKind::Refused), 12));
    assert_eq!(on.cache.invalidate(what()).await, Outcome::Queued);
    assert!(!on.applied(Duration::from_secs(20)).await);
    let tries = on.store.count(Step::RemoveAll);
    assert!((8..=11).contains(&tries), "{tries}");
    assert!(on.applied(Duration::from_secs(60)).await);
}

#[tokio::test(start_paused = true)]
async fn loads_during_a_write_are_shared_by_calls_that_came_before_they_began() {
    let on = Subject::new();
    let write = on.writing(ms(500)).await;
    let first = on.calling(Ok(1), ms(50)).await;
    let others = [on.calling(Ok(2), ms(50)).await, on.calling(Ok(3), ms(50)).await];
    assert_eq!(first.await.unwrap(), Ok(1));
    // These came while the first load was running, so they may not share it. One of them loads for both.
    for other in others {
        assert_eq!(other.await.unwrap(), Ok(2));
    }
    let stats = on.stats();
    assert_eq!((stats.loads, stats.coalesced, stats.stored), (2, 1, 0));
    assert_eq!(write.await.unwrap().1, Outcome::Applied);
}

/// A store of several servers, of which one is out of reach. The registers of one invalidation depend on each other, so
/// those on the other servers are removed again, together with the one that failed.
#[tokio::test(start_paused = true)]
async fn an_invalidation_that_failed_for_one_key_is_queued_as_a_whole() {
    for is_bracket in [false, true] {
        let on = Subject::new();
        let (key, other) = (on.key(), on.engine().settings.prefix.literal("other"));
        on.store.fail_on(Some(other.clone()));
        let what = what().key("other");
        let outcome = if is_bracket { on.cache.write(what, async {}).await.1 } else { on.cache.invalidate(what).await };
        assert_eq!((outcome, on.cache.stats().pending), (Outcome::Queued, 2), "bracket: {is_bracket}");
        assert!(on.engine().queue.covers([&key].into_iter()) && on.engine().queue.covers([&other].into_iter()));
        on.store.fail_on(None);
        assert!(on.applied(ms(5_000)).await);
        assert_eq!(on.register().await, None);
    }
}

/// Markers live for a time, and are extended only once all of them stand. A reader could store an old value where the
/// first have run out.
#[tokio::test(start_paused = true)]
async fn a_write_over_many_does_not_begin_if_its_first_markers_may_run_out_meanwhile() {
    let on = Subject::with(|builder| builder.write_marker_ttl(ms(1_000)));
    let many = |n: usize| Invalidation::new().keys((0..n).map(|n| format!("k:{n}")));
    for (parts, takes, begins) in [(3, 80, true), (6, 80, false)] {
        on.store.plan(Step::Begin, vec![Act::Late(ms(takes)); parts]);
        let written = on.cache.try_write(many(200 * parts), async {}).await;
        assert_eq!(written.is_ok(), begins, "{parts} parts: {written:?}");
        on.store.plan(Step::Begin, []);
    }
}
