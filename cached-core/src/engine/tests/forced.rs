//! Forced refreshes: what is served meanwhile, what is stored, and who shares.

use super::*;
use crate::engine::control;
use crate::invalidation::{Invalidation, Outcome};
use crate::store::{Begin, End, Written};

impl Subject {
    /// A forced refresh of "k" whose load takes `takes`.
    async fn force(&self, result: Result<u64, ()>, takes: Duration) -> Result<u64, ()> {
        crate::refresh(self.try_call(result, takes)).await
    }

    async fn forcing(&self, result: Result<u64, ()>, takes: Duration) -> JoinHandle<Result<u64, ()>> {
        let subject = self.clone();
        let call = tokio::spawn(async move { subject.force(result, takes).await });
        tasks().await;
        call
    }

    async fn holding(value: u64) -> Self {
        let on = Self::new();
        on.call(value, AT_ONCE).await;
        on.cache.flush().await;
        on
    }

    async fn stands(&self) -> Option<u64> {
        self.cache.entry("k").get::<u64>().await
    }
}

#[tokio::test(start_paused = true)]
async fn the_old_value_is_served_until_the_new_one_is_stored() {
    let on = Subject::holding(1).await;
    let forced = on.forcing(Ok(2), ms(50)).await;
    for _ in 0..5 {
        assert_eq!(timed(on.call(9, AT_ONCE)).await, (1, AT_ONCE), "nobody waits");
        sleep(ms(9)).await;
    }
    assert_eq!(forced.await.unwrap(), Ok(2));
    assert_eq!(on.call(9, AT_ONCE).await, 2);
    let stats = on.stats();
    assert_eq!((stats.loads, stats.refreshes, stats.stored, stats.bypassed), (2, 1, 2, 0));
    assert_eq!(stats.calls(), 1 + 5 + 1 + 1);
}

#[tokio::test(start_paused = true)]
async fn it_returns_when_the_value_is_stored() {
    let on = Subject::holding(1).await;
    on.store.plan(Step::Fill, [Act::Late(ms(30))]);
    assert_eq!(timed(on.force(Ok(2), AT_ONCE)).await, (Ok(2), ms(30)));
    assert_eq!(on.stands().await, Some(2));
    // But not for longer than one budget.
    on.store.plan(Step::Fill, [Act::Silent]);
    assert_eq!(timed(on.force(Ok(3), AT_ONCE)).await, (Ok(3), BUDGET));
}

#[tokio::test(start_paused = true)]
async fn a_load_that_began_before_is_not_stored_over_it() {
    for stands in [true, false] {
        let on = if stands { Subject::holding(1).await } else { Subject::new() };
        let old = on.calling(Ok(8), ms(80)).await;
        let (forced, took) = timed(on.force(Ok(2), ms(10))).await;
        assert_eq!((forced, took), (Ok(2), ms(10)), "it waits for nobody");
        assert_eq!(old.await.unwrap(), if stands { Ok(1) } else { Ok(8) });
        on.cache.flush().await;
        assert_eq!(on.stands().await, Some(2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_load_that_fails_leaves_the_old_value() {
    let on = Subject::holding(1).await;
    assert_eq!(on.force(Err(()), ms(5)).await, Err(()));
    assert_eq!(on.call(9, AT_ONCE).await, 1);
    assert_eq!(on.force(Ok(2), AT_ONCE).await, Ok(2), "nothing cools down");
    // Without a value, the lease goes with the load.
    on.cache.entry("k").remove().await.unwrap();
    assert_eq!(on.force(Err(()), ms(5)).await, Err(()));
    tasks().await;
    assert_eq!((on.register().await, timed(on.call(3, AT_ONCE)).await), (None, (3, AT_ONCE)));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_leaves_the_old_value() {
    let on = Subject::holding(1).await;
    let forced = on.forcing(Ok(2), ms(50)).await;
    forced.abort();
    tasks().await;
    assert_eq!(on.call(9, AT_ONCE).await, 1);
    assert_eq!(on.force(Ok(3), AT_ONCE).await, Ok(3));
    assert_eq!(on.call(9, AT_ONCE).await, 3);
}

#[tokio::test(start_paused = true)]
async fn those_that_come_during_a_load_share_the_next() {
    let on = Subject::holding(1).await;
    let first = on.forcing(Ok(2), ms(50)).await;
    let mut others = Vec::new();
    for n in 0..10 {
        others.push(on.forcing(Ok(10 + n), ms(50)).await);
    }
    assert_eq!(first.await.unwrap(), Ok(2));
    for other in others {
        assert_eq!(other.await.unwrap(), Ok(10), "one load, which began after all of them had come");
    }
    let stats = on.stats();
    assert_eq!((stats.loads, stats.refreshes, stats.coalesced), (3, 2, 9));
    assert_eq!(on.stands().await, Some(10));
}

#[tokio::test(start_paused = true)]
async fn who_shares_a_load_returns_when_its_value_is_stored_as_well() {
    let on = Subject::holding(1).await;
    let first = on.forcing(Ok(2), ms(10)).await;
    let others = [on.forcing(Ok(3), ms(10)).await, on.forcing(Ok(4), ms(10)).await];
    on.store.plan(Step::Fill, [Act::Well, Act::Late(ms(30))]);
    assert_eq!(first.await.unwrap(), Ok(2));
    let began = Instant::now();
    // The one that shares comes before the one that loads.
    for other in others.into_iter().rev() {
        assert_eq!(other.await.unwrap(), Ok(3));
        assert_eq!(on.stands().await, Some(3), "a call that comes now finds it");
    }
    assert_eq!(began.elapsed(), ms(40), "the load, and FILL");
}

/// `forced_shares_load` of the protocol's model: whoever has read the fresh head by then may load and store first.
#[tokio::test(start_paused = true)]
async fn who_comes_after_takeover_does_not_share_although_the_load_has_not_begun() {
    let on = Subject::holding(1).await;
    on.store.plan(Step::Takeover, [Act::LateAnswer(ms(20))]);
    let first = on.forcing(Ok(2), AT_ONCE).await;
    let second = on.forcing(Ok(3), AT_ONCE).await;
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (Ok(2), Ok(3)));
    assert_eq!((on.stats().loads, on.store.count(Step::Takeover)), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn those_that_wait_for_a_load_that_fails_load_at_once() {
    let on = Subject::holding(1).await;
    let _first = on.forcing(Ok(2), ms(20)).await;
    let mut next = Vec::new();
    for _ in 0..5 {
        next.push(on.forcing(Err(()), ms(20)).await);
    }
    let began = Instant::now();
    for next in next {
        assert_eq!(next.await.unwrap(), Err(()));
    }
    assert_eq!(began.elapsed(), ms(60), "not one after another");
    assert_eq!(on.stands().await, Some(2));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_stored_during_a_write() {
    let on = Subject::holding(1).await;
    let (writer, keys) = (crate::lease::writer().unwrap(), [on.key()]);
    let begin = Begin::new(writer, &keys, ms(10_000), BUDGET).with_token(true);
    on.store.memory.begin(begin).await.unwrap().whole().unwrap();
    assert_eq!(on.force(Ok(2), AT_ONCE).await, Ok(2));
    assert_eq!((on.register().await, on.store.count(Step::Fill)), (None, 1), "the first load's FILL only");
    assert_eq!(on.misses(), [(MissReason::Absent, 1), (MissReason::Writing, 1)]);
    let put = Written::value(on.key(), on.register_of(b"7"), ms(10_000));
    assert!(!on.store.memory.end(End::new(writer, &[put], BUDGET)).await.unwrap().put, "it may be older than the load");
    assert_eq!(on.call(3, AT_ONCE).await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_write_during_the_load_wins() {
    let on = Subject::holding(1).await;
    let forced = on.forcing(Ok(2), ms(20)).await;
    assert_eq!(on.cache.invalidate(Invalidation::new().key("k")).await, Outcome::Applied);
    assert_eq!(forced.await.unwrap(), Ok(2));
    assert_eq!((on.register().await, on.unstored()), (None, vec![(UnstoredReason::LeaseLost, 1)]));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_out_of_reach_costs_nothing_but_the_store() {
    let on = Subject::holding(1).await;
    on.store.plan(Step::Takeover, [Act::Fails(FaultKind::Disconnected)]);
    assert_eq!(on.force(Ok(2), AT_ONCE).await, Ok(2));
    assert_eq!(on.call(9, AT_ONCE).await, 1);
    assert_eq!(on.misses()[1], (MissReason::Disconnected, 1));
    on.open_breaker().await;
    let before = on.store.count(Step::Takeover);
    assert_eq!(on.force(Ok(3), AT_ONCE).await, Ok(3));
    assert_eq!(on.store.count(Step::Takeover), before);
    assert!(on.misses().contains(&(MissReason::BreakerOpen, 1)), "{:?}", on.misses());
    assert!(on.unstored().contains(&(UnstoredReason::NoLease, 2)), "{:?}", on.unstored());
}

/// It may have been carried out: nothing is stored, and its lease does not stay.
#[tokio::test(start_paused = true)]
async fn a_takeover_that_is_not_answered_leaves_nothing_behind() {
    let on = Subject::new();
    on.store.plan(Step::Takeover, [Act::Breaks]);
    assert_eq!(on.force(Ok(2), AT_ONCE).await, Ok(2));
    tasks().await;
    assert_eq!((on.register().await, on.store.count(Step::Fill)), (None, 0));
    // A value is served on, under the head that it has by now.
    on.call(3, AT_ONCE).await;
    on.store.plan(Step::Takeover, [Act::Breaks]);
    assert_eq!((on.force(Ok(4), AT_ONCE).await, on.call(9, AT_ONCE).await), (Ok(4), 3));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_to_be_stored_ends_the_old_value() {
    let on = Subject::holding(1).await;
    let call = on.cache.entry("k").ttl(Duration::ZERO).get_or_load(|| async { Ok::<u64, ()>(2) });
    assert_eq!(crate::refresh(call).await, Ok(2));
    assert_eq!(on.register().await, None);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_encoded_ends_the_old_value() {
    let on = Subject::new();
    let call = |value: f64| on.cache.entry("f").get_or_load(move || async move { Ok::<_, ()>(value) });
    assert_eq!(call(1.0).await, Ok(1.0));
    on.cache.flush().await;
    assert!(crate::refresh(call(f64::NAN)).await.unwrap().is_nan());
    assert_eq!(call(2.0).await, Ok(2.0), "the source has answered");
}

#[tokio::test(start_paused = true)]
async fn tags_are_those_from_before_the_load() {
    let on = Subject::new();
    let call = async |value: u64, takes: Duration| {
        let load = || async move {
            sleep(takes).await;
            Ok::<_, ()>(value)
        };
        on.cache.entry("k").tag("t").get_or_load(load).await.unwrap()
    };
    call(1, AT_ONCE).await;
    on.cache.flush().await;
    assert_eq!((crate::refresh(call(2, AT_ONCE)).await, call(9, AT_ONCE).await), (2, 2));
    let write = async {
        sleep(ms(5)).await;
        on.cache.invalidate(Invalidation::new().tag("t")).await
    };
    let (forced, outcome) = futures_util::future::join(crate::refresh(call(3, ms(10))), write).await;
    assert_eq!((forced, outcome), (3, Outcome::Applied));
    assert_eq!(call(4, AT_ONCE).await, 4, "what was loaded under the former stamp is no value");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_take_over_loses_the_value_first() {
    let on = Subject::holding(1).await;
    on.store.become_plain();
    let forced = on.forcing(Ok(2), ms(20)).await;
    assert_eq!(timed(on.call(9, AT_ONCE)).await, (2, ms(20)), "others wait for the load");
    assert_eq!(forced.await.unwrap(), Ok(2));
    assert_eq!((on.stats().loads, on.store.count(Step::Remove)), (2, 1));
    on.store.plan(Step::Remove, [Act::Fails(FaultKind::Disconnected)]);
    assert_eq!(on.force(Ok(3), AT_ONCE).await, Ok(3));
    assert_eq!(on.call(9, AT_ONCE).await, 2, "it could not be removed");
}

/// All builds have the new value afterwards, whatever stood where.
#[tokio::test(start_paused = true)]
async fn entries_beside_one_another_end_together() {
    let on = Subject::holding(1).await;
    let text = async |value: &str| {
        let load = || async { Ok::<_, ()>(value.to_owned()) };
        let text = on.cache.entry("k").get_or_load(load).await.unwrap();
        on.cache.flush().await;
        text
    };
    assert_eq!(text("old").await, "old");
    // It is the value of the other type that stands under the key.
    let load = || async { Ok::<_, ()>("new".to_owned()) };
    let forced = crate::refresh(on.cache.entry("k").get_or_load(load));
    assert_eq!(forced.await.unwrap(), "new");
    assert_eq!(text("not loaded").await, "new");
    assert_eq!(on.call(2, AT_ONCE).await, 2, "the former base is gone");
    on.cache.flush().await;
    assert_eq!((on.call(9, AT_ONCE).await, text("not loaded").await), (2, "new".to_owned()), "side by side again");
}

#[tokio::test(start_paused = true)]
async fn calls_inside_of_the_load_read_as_always() {
    let on = Subject::holding(1).await;
    let inner = on.clone();
    let load = || async move { Ok::<_, ()>(10 * inner.call(9, AT_ONCE).await) };
    assert_eq!(crate::refresh(on.cache.entry("outer").get_or_load(load)).await, Ok(10));
    assert_eq!(on.store.count(Step::Takeover), 1);
    assert!(!control::is_on());
}

/// A forced refresh from inside of a load of the same key would replace the lease that it runs under.
#[tokio::test(start_paused = true)]
async fn a_load_that_refreshes_itself_by_force_loads() {
    let on = Subject::new();
    let inner = on.clone();
    let load = || async move { inner.force(Ok(2), AT_ONCE).await };
    assert_eq!(on.cache.entry("k").get_or_load(load).await, Ok(2));
    on.cache.flush().await;
    assert_eq!((on.stands().await, on.store.count(Step::Takeover)), (Some(2), 0));
}

#[tokio::test(start_paused = true)]
async fn two_processes_that_refresh_by_force_leave_the_later_load() {
    let on = Subject::holding(1).await;
    let other = Cache::builder().namespace("cache").store(Arc::clone(&on.store) as _).build().unwrap();
    let first = on.forcing(Ok(2), ms(50)).await;
    let load = || async { Ok::<u64, ()>(3) };
    assert_eq!(crate::refresh(other.entry("k").get_or_load(load)).await, Ok(3));
    assert_eq!(first.await.unwrap(), Ok(2));
    assert_eq!((on.stands().await, on.unstored()), (Some(3), vec![(UnstoredReason::LeaseLost, 1)]));
}
