//! Entries that depend on tags.

use super::*;
use crate::invalidation::{Invalidation, Outcome};
use crate::store::Remove;

fn tagged(cache: &Cache) -> Entry<Untyped, ByHand> {
    cache.entry("k").tag("a").tag("b")
}

fn tag(name: &str) -> Invalidation {
    Invalidation::new().tag(name)
}

impl Subject {
    async fn tagged_call(&self, value: u64, takes: Duration) -> u64 {
        let load = || async move {
            if takes > Duration::ZERO {
                sleep(takes).await;
            }
            Ok::<_, ()>(value)
        };
        tagged(&self.cache).get_or_load(load).await.unwrap()
    }

    async fn tagged_calling(&self, value: u64, takes: Duration) -> JoinHandle<u64> {
        let subject = self.clone();
        let call = tokio::spawn(async move { subject.tagged_call(value, takes).await });
        tasks().await;
        call
    }

    async fn invalidated(&self, what: Invalidation) {
        assert_eq!(self.cache.invalidate(what).await, Outcome::Applied);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hit_takes_one_step_and_a_load_two_side_by_side() {
    let on = Subject::new();
    on.store.plan(Step::Acquire, [Act::LateAnswer(ms(30))]);
    on.store.plan(Step::Tag, [Act::LateAnswer(ms(40))]);
    let (_, took) = timed(on.tagged_call(1, AT_ONCE)).await;
    assert_eq!(took, ms(40), "side by side");
    tasks().await;
    let steps = |step| on.store.count(step);
    assert_eq!((steps(Step::GetAll), steps(Step::Acquire), steps(Step::Tag)), (1, 1, 2), "the second beside FILL");
    assert_eq!(on.tagged_call(2, AT_ONCE).await, 1);
    assert_eq!((steps(Step::GetAll), steps(Step::Get), steps(Step::Tag)), (2, 0, 2));
}

#[tokio::test(start_paused = true)]
async fn a_tag_invalidated_during_the_load_makes_the_entry_a_miss() {
    let on = Subject::new();
    let call = on.tagged_calling(1, ms(50)).await;
    on.invalidated(tag("b")).await;
    assert_eq!(call.await.unwrap(), 1);
    tasks().await;
    assert_eq!(on.tagged_call(2, AT_ONCE).await, 2);
    assert_eq!(on.stats().misses[&MissReason::Invalidated], 1);
}

#[tokio::test(start_paused = true)]
async fn a_stored_value_is_not_shared_with_callers_that_came_after_its_tag_was_invalidated() {
    let on = Subject::new();
    on.store.plan(Step::Fill, [Act::LateAnswer(ms(20))]);
    let first = on.tagged_calling(1, ms(50)).await;
    sleep(ms(20)).await;
    on.invalidated(tag("a")).await;
    let second = on.tagged_calling(2, ms(50)).await;
    assert_eq!(first.await.unwrap(), 1);
    assert_eq!(second.await.unwrap(), 2, "FILL proves nothing about tags");
}

#[tokio::test(start_paused = true)]
async fn a_value_proved_current_is_shared_with_callers_that_came_during_the_load() {
    let on = Subject::new();
    let first = on.tagged_calling(1, ms(50)).await;
    let second = on.tagged_calling(2, ms(50)).await;
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (1, 1));
    assert_eq!(on.stats().loads, 1);
}

#[tokio::test(start_paused = true)]
async fn a_write_in_progress_on_a_tag_keeps_loads_from_being_stored() {
    let on = Subject::new();
    let cache = on.cache.clone();
    let write = tokio::spawn(async move { cache.write(tag("b"), sleep(ms(50))).await });
    tasks().await;
    assert_eq!(on.tagged_call(1, AT_ONCE).await, 1);
    tasks().await;
    assert_eq!((on.stats().stored, on.register().await), (0, None), "and the lease is released");
    assert_eq!(on.misses(), [(MissReason::Writing, 1)]);
    assert_eq!(write.await.unwrap().1, Outcome::Applied);
}

#[tokio::test(start_paused = true)]
async fn an_entry_whose_tag_is_lost_is_a_miss() {
    let on = Subject::new();
    on.tagged_call(1, AT_ONCE).await;
    let lost = on.engine().settings.prefix.tag("a");
    on.store.memory.remove(Remove::new(&lost, BUDGET)).await.unwrap();
    assert_eq!(on.tagged_call(2, AT_ONCE).await, 2);
    assert_eq!(on.tagged_call(3, AT_ONCE).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_tag_lives_longer_than_its_entries() {
    let on = Subject::new();
    let day = Duration::from_secs(86_400);
    let call = async |value| {
        let load = || async move { Ok::<u64, ()>(value) };
        tagged(&on.cache).ttl(30 * day).get_or_load(load).await.unwrap()
    };
    assert_eq!(call(1).await, 1);
    for _ in 0..29 {
        on.clock.advance(day);
        assert_eq!(call(2).await, 1);
    }
    on.clock.advance(day);
    assert_eq!(call(2).await, 2);
}

#[tokio::test(start_paused = true)]
async fn an_entry_whose_tag_is_queued_is_not_served() {
    let on = Subject::new();
    on.tagged_call(1, AT_ONCE).await;
    on.store.plan(Step::RemoveAll, [Act::Fails(FaultKind::ReadOnly), Act::Fails(FaultKind::ReadOnly)]);
    assert_eq!(on.cache.invalidate(tag("b")).await, Outcome::Queued);
    assert_eq!(on.tagged_call(2, AT_ONCE).await, 2);
    assert_eq!(on.cache.entry("k").get::<u64>().await, None, "also for readers that know the tag only from the entry");
    assert!(on.applied(ms(1_000)).await);
    assert_eq!(on.tagged_call(3, AT_ONCE).await, 3);
    assert_eq!(on.tagged_call(4, AT_ONCE).await, 3);
}

#[tokio::test(start_paused = true)]
async fn calls_for_one_key_with_more_tags_do_not_take_each_others_values() {
    let on = Subject::new();
    on.tagged_call(1, AT_ONCE).await;
    let with = async |entry: Entry<Untyped, ByHand>, value| {
        let load = || async move { Ok::<u64, ()>(value) };
        entry.get_or_load(load).await.unwrap()
    };
    assert_eq!(with(tagged(&on.cache).tag("c"), 2).await, 2, "its entry has to depend on `c`");
    assert_eq!(with(on.cache.entry("k").tag("a"), 3).await, 2, "an entry with more tags will do");
    assert_eq!(with(on.cache.entry("k"), 4).await, 2);
    on.invalidated(tag("c")).await;
    assert_eq!(with(on.cache.entry("k"), 5).await, 5);
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_is_given_twice_counts_once() {
    let on = Subject::new();
    let load = |value| move || async move { Ok::<u64, ()>(value) };
    assert_eq!(on.cache.entry("k").tag("a").tag("a").get_or_load(load(1)).await, Ok(1));
    on.cache.flush().await;
    let more = on.cache.entry("k").tag("a").tag("b");
    assert_eq!(more.get_or_load(load(2)).await, Ok(2), "what stands there does not depend on `b`");
}

#[tokio::test(start_paused = true)]
async fn a_value_set_with_tags_depends_on_them() {
    let on = Subject::new();
    tagged(&on.cache).set(&1_u64).await.unwrap();
    assert_eq!(on.cache.entry("k").get::<u64>().await, Some(1));
    on.invalidated(tag("b")).await;
    assert_eq!(on.cache.entry("k").get::<u64>().await, None);

    let many = (0..65).fold(on.cache.entry("k"), |entry, n| entry.tag(format!("tag:{n}")));
    assert!(many.set(&1_u64).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn tags_known_only_from_the_entry_are_read_within_the_same_budget() {
    let on = Subject::new();
    on.tagged_call(1, AT_ONCE).await;
    on.store.plan(Step::Get, [Act::LateAnswer(ms(60))]);
    on.store.plan(Step::GetAll, [Act::Silent]);
    let (value, took) = timed(on.cache.entry("k").get::<u64>()).await;
    assert_eq!((value, took), (None, BUDGET));
}

/// A load of another process is under way, and its tags have not changed since it began.
async fn with_a_load_elsewhere() -> Subject {
    let on = Subject::new();
    on.tagged_call(1, AT_ONCE).await;
    tasks().await;
    on.plant_lease(9, Duration::from_secs(3600)).await;
    on
}

#[tokio::test(start_paused = true)]
async fn a_load_elsewhere_is_waited_for_while_its_tags_hold() {
    let on = with_a_load_elsewhere().await;
    let call = on.tagged_calling(2, AT_ONCE).await;
    sleep(ms(1_000)).await;
    assert!(!call.is_finished());
    call.abort();
}

#[tokio::test(start_paused = true)]
async fn a_load_elsewhere_that_an_event_has_made_worthless_is_not_waited_for() {
    let on = with_a_load_elsewhere().await;
    on.invalidated(tag("b")).await;
    assert_eq!(timed(on.tagged_call(2, AT_ONCE)).await, (2, ms(10)), "by its second read");
    tasks().await;
    assert_eq!(on.tagged_call(3, AT_ONCE).await, 2, "the value loaded instead is stored");
}

#[tokio::test(start_paused = true)]
async fn a_call_stops_waiting_for_a_load_elsewhere_that_becomes_worthless() {
    let on = with_a_load_elsewhere().await;
    let call = on.tagged_calling(2, AT_ONCE).await;
    sleep(ms(100)).await;
    on.invalidated(tag("a")).await;
    let (value, took) = timed(call).await;
    assert_eq!(value.unwrap(), 2);
    assert!(took > ms(20) && took <= ms(40), "{took:?}: by its second read");
    tasks().await;
    assert_eq!(on.tagged_call(3, AT_ONCE).await, 2);
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_a_load_that_replaced_a_worthless_one_is_respected() {
    let on = with_a_load_elsewhere().await;
    on.invalidated(tag("b")).await;
    let first = on.tagged_calling(2, ms(200)).await;
    sleep(ms(15)).await;
    // The cache of another process on the same store.
    let store = Arc::clone(&on.store) as Arc<dyn Store>;
    let cache = Cache::builder()
        .namespace("cache")
        .store(store)
        .clock(on.clock.clone())
        .jitter(0.0)
        .budget(BUDGET)
        .build()
        .unwrap();
    let other = tagged(&cache).get_or_load(|| async { Ok::<u64, ()>(3) });
    let (value, took) = timed(other).await;
    assert_eq!(value, Ok(2), "it has waited for the load that is not worthless");
    assert!(took >= ms(190), "{took:?}");
    assert_eq!(first.await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_read_between_acquire_and_tag_does_not_take_the_lease_away() {
    let on = Subject::new();
    let store = Arc::clone(&on.store) as Arc<dyn Store>;
    let cache = Cache::builder()
        .namespace("cache")
        .store(store)
        .clock(on.clock.clone())
        .jitter(0.0)
        .budget(BUDGET)
        .build()
        .unwrap();
    on.store.plan(Step::Tag, [Act::Late(ms(3))]);
    let first = on.tagged_calling(2, ms(50)).await;
    let other = tagged(&cache).get_or_load(|| async { Ok::<u64, ()>(3) });
    assert_eq!(other.await, Ok(2), "it has waited for the load");
    assert_eq!(first.await.unwrap(), 2);
    assert_eq!(on.stats().stored, 1);
}
