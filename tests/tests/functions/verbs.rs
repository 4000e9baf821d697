//! The verbs of an entry, on memory and on Redis: peek, prime, loads by the entry of a function, and entries by hand
//! that are kept near.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, CacheBuilder, CacheError, CacheEvent, Clock, Invalidation, Outcome, entry, redis_cached};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tests::{Log, RedisServer, eventually};
use tokio::sync::oneshot;

const SECOND: Duration = Duration::from_secs(1);

/// Counts loads, each of which returns its number.
#[derive(Debug, Clone, Default)]
struct Loads(Arc<AtomicU64>);

impl Loads {
    fn one(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    #[expect(clippy::unused_async, reason = "it is a load")]
    async fn next(self) -> Result<u64, Infallible> {
        Ok(self.one())
    }

    fn so_far(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The time of the store is not under test.
fn patient() -> CacheBuilder {
    Cache::builder().budget(8 * SECOND)
}

/// Runs the test in memory and on a server.
macro_rules! on_both {
    ($($test:ident)*) => {$(
        mod $test {
            #[tokio::test]
            async fn in_memory() {
                super::$test(super::patient()).await;
            }

            #[tokio::test]
            async fn on_redis() {
                let server = super::RedisServer::start();
                super::$test(super::patient().redis(server.url())).await;
            }
        }
    )*};
}

on_both! {
    prime_stores_where_nothing_stands
    prime_leaves_a_value_and_a_load_alone
    prime_stores_over_what_nobody_is_served
    nothing_is_primed_during_a_write
    a_primed_value_ends_with_its_tags
    peek_tells_the_time_that_is_left
    peek_sees_a_value_past_its_end_and_counts_nothing
    the_entry_of_a_function_loads_what_the_function_returns
    entries_by_hand_are_kept_near
    each_name_has_its_statistics
}

async fn prime_stores_where_nothing_stands(builder: CacheBuilder) {
    let cache = builder.namespace("prime").build().unwrap();
    let primed = cache.entry("row").tag("rows");
    assert!(primed.prime(&1_u64).await.unwrap());
    assert!(!primed.prime(&2_u64).await.unwrap(), "there is a value");
    assert_eq!(primed.get::<u64>().await, Some(1));
    let loads = Loads::default();
    assert_eq!(primed.get_or_load(|| loads.clone().next()).await, Ok(1));
    assert_eq!(loads.so_far(), 0);
    primed.remove().await.unwrap();
    assert!(primed.prime(&3_u64).await.unwrap());
    assert_eq!(cache.stats().site("Cache::entry").unwrap().stored, 2);
    let refused = cache.entry("row:*").prime(&1_u64).await;
    assert!(matches!(refused, Err(CacheError::KeyPattern { .. })), "{refused:?}");
}

async fn prime_leaves_a_value_and_a_load_alone(builder: CacheBuilder) {
    let cache = builder.namespace("prime").build().unwrap();
    cache.entry("set").set(&7_u64).await.unwrap();
    assert!(!cache.entry("set").prime(&8_u64).await.unwrap());
    assert_eq!(cache.entry("set").get::<u64>().await, Some(7));

    let row = cache.entry("row");
    let ((begun, is_begun), (end, ends)) = (oneshot::channel(), oneshot::channel());
    let load = row.get_or_load(|| async {
        begun.send(()).unwrap();
        ends.await.unwrap();
        Ok::<u64, Infallible>(2)
    });
    let meanwhile = async {
        is_begun.await.unwrap();
        assert!(!row.prime(&1_u64).await.unwrap(), "somebody is loading");
        end.send(()).unwrap();
    };
    assert_eq!(tokio::join!(load, meanwhile).0, Ok(2));
    cache.flush().await;
    assert_eq!(row.get::<u64>().await, Some(2), "the load has been stored");
}

async fn prime_stores_over_what_nobody_is_served(builder: CacheBuilder) {
    let clock = Clock::manual();
    let cache = builder.namespace("prime").clock(clock.clone()).build().unwrap();
    let tagged = cache.entry("tagged").tag("rows");
    tagged.set(&1_u64).await.unwrap();
    assert_eq!(cache.invalidate(Invalidation::new().tag("rows")).await, Outcome::Applied);
    assert!(tagged.prime(&2_u64).await.unwrap(), "its tag was invalidated");
    assert_eq!(tagged.get::<u64>().await, Some(2));

    let bridged = cache.entry("bridged").ttl(SECOND).jitter(0.0).stale_if_error(60 * SECOND);
    bridged.set(&1_u64).await.unwrap();
    assert!(!bridged.prime(&2_u64).await.unwrap());
    clock.advance(2 * SECOND);
    assert!(bridged.prime(&2_u64).await.unwrap(), "it is past its end");
    assert_eq!(bridged.get::<u64>().await, Some(2));

    cache.entry("typed").set(&String::from("text")).await.unwrap();
    assert!(cache.entry("typed").prime(&1_u64).await.unwrap(), "a value of another type stands beside it");
    assert_eq!(cache.entry("typed").get::<u64>().await, Some(1));
    assert_eq!(cache.entry("typed").get::<String>().await.as_deref(), Some("text"));
}

async fn nothing_is_primed_during_a_write(builder: CacheBuilder) {
    let cache = builder.namespace("prime").build().unwrap();
    let row = cache.entry("row").tag("rows");
    for what in [Invalidation::new().key("row"), Invalidation::new().tag("rows")] {
        let (primed, outcome) = cache.write(what, row.prime(&1_u64)).await;
        assert!(matches!(primed, Err(CacheError::Writing)), "{primed:?}");
        assert_eq!(outcome, Outcome::Applied);
        assert_eq!(row.get::<u64>().await, None);
    }
    assert!(row.prime(&2_u64).await.unwrap(), "the writes have ended, and no lease is left");
}

async fn a_primed_value_ends_with_its_tags(builder: CacheBuilder) {
    #[derive(CacheEvent)]
    struct Primed {
        id: u64,
    }
    let cache = builder.namespace("prime").build().unwrap();
    let row = cache.entry("row").tag("rows").tags_of(|value: &u64| [format!("value:{value}")]);
    let row = row.invalidate_on(&Primed { id: 7 });
    for what in [
        Invalidation::new().tag("rows"),
        Invalidation::new().tag("value:1"),
        Invalidation::new().event(&Primed { id: 7 }),
        Invalidation::new().entry(&row),
    ] {
        assert!(row.prime(&1).await.unwrap(), "{what:?}");
        assert_eq!(row.get().await, Some(1), "{what:?}");
        assert_eq!(cache.invalidate(what.clone()).await, Outcome::Applied);
        assert_eq!(row.get().await, None, "{what:?}");
    }
}

#[redis_cached(key = "verbs:<id>", ttl = "1m", jitter = 0.1)]
async fn row(id: u64) -> Result<u64, String> {
    Ok(id + 1_000)
}

async fn peek_tells_the_time_that_is_left(builder: CacheBuilder) {
    let clock = Clock::manual();
    let cache = builder.namespace("peek").clock(clock.clone()).build().unwrap();
    assert_eq!(cache.entry("nothing").peek::<u64>().await, None);
    // Redis has a clock of its own, on which a moment passes.
    let near = |one: Duration, other: Duration| one.abs_diff(other) < 5 * SECOND;
    let timed = cache.entry("timed").ttl(60 * SECOND).jitter(0.3).refresh_ahead(1.0);
    timed.set(&7_u64).await.unwrap();
    let before = timed.peek::<u64>().await.unwrap();
    let life = before.left.unwrap();
    assert!(life > 41 * SECOND && life <= 60 * SECOND, "{before:?}");
    clock.advance(20 * SECOND);
    let after = timed.peek::<u64>().await.unwrap();
    assert_eq!((after.value, after.is_past_end), (Some(7), false));
    assert_eq!(
        (after.left, after.age),
        (Some(life.checked_sub(20 * SECOND).unwrap()), Some(20 * SECOND)),
        "to the millisecond"
    );

    let plain = cache.entry("plain").ttl(60 * SECOND).jitter(0.3);
    plain.set(&7_u64).await.unwrap();
    let peek = plain.peek::<u64>().await.unwrap();
    let (age, left) = (peek.age.unwrap(), peek.left.unwrap());
    assert!(near(age, Duration::ZERO) && left > 36 * SECOND && left <= 60 * SECOND, "{peek:?}");

    cache
        .scope(async {
            row(7).await.unwrap();
            cache.flush().await;
            let peek = entry!(row(7)).unwrap().peek().await.unwrap();
            assert_eq!(peek.value, Some(1_007));
            assert!(near(peek.age.unwrap(), Duration::ZERO), "{peek:?}");
            assert!(peek.left.unwrap() <= 66 * SECOND && peek.left.unwrap() > 49 * SECOND, "{peek:?}");
        })
        .await;

    let absent = cache.entry("absent").none_ttl(30 * SECOND).jitter(0.0);
    let nobody = || async { Ok::<Option<u64>, Infallible>(None) };
    assert_eq!(absent.get_or_load_option(nobody).await, Ok(None));
    cache.flush().await;
    let peek = absent.peek::<u64>().await.unwrap();
    assert_eq!(peek.value, None, "it is stored that there is none");
    assert!(near(peek.left.unwrap(), 30 * SECOND) && near(peek.age.unwrap(), Duration::ZERO), "{peek:?}");
}

async fn peek_sees_a_value_past_its_end_and_counts_nothing(builder: CacheBuilder) {
    let clock = Clock::manual();
    let cache = builder.namespace("peek").clock(clock.clone()).build().unwrap();
    let bridged = cache.entry("bridged").ttl(10 * SECOND).jitter(0.0).stale_while_revalidate(10 * SECOND);
    let bridged = bridged.stale_if_error(60 * SECOND).named("bridged");
    bridged.set(&7_u64).await.unwrap();
    cache.entry("bridged-text").named("bridged").set(&String::new()).await.unwrap();
    let before = format!("{:?}", cache.stats());
    for (past, left, is_past_end) in [(4, 6, false), (11, 0, true), (40, 0, true)] {
        let at = Duration::from_secs(past);
        clock.advance(at);
        let peek = bridged.peek::<u64>().await.unwrap();
        assert_eq!((peek.value, peek.is_past_end), (Some(7), is_past_end), "{past}");
        assert_eq!(peek.left, Some(Duration::from_secs(left)), "{past}");
    }
    assert_eq!(bridged.peek::<u64>().await.unwrap().age, Some(55 * SECOND));
    assert_eq!(cache.entry("bridged-text").named("bridged").peek::<u64>().await, None, "it is of another type");
    assert_eq!(format!("{:?}", cache.stats()), before, "no call, no refresh, no miss");
    assert_eq!(bridged.get::<u64>().await, None, "it is served only if a load fails");
}

async fn the_entry_of_a_function_loads_what_the_function_returns(builder: CacheBuilder) {
    let cache = builder.namespace("loads").build().unwrap();
    cache
        .scope(async {
            let entry = entry!(row(1)).unwrap();
            assert_eq!(entry.get_or_load(async || Ok::<_, String>(5)).await, Ok(5));
            cache.flush().await;
            assert_eq!(row(1).await, Ok(5), "the body has not run");
            assert_eq!(entry.get_or_load(async || Err("not called".to_owned())).await, Ok(5));
            assert!(!entry.prime(&6).await.unwrap());
            entry.remove().await.unwrap();
            assert!(entry.prime(&6).await.unwrap());
            assert_eq!(row(1).await, Ok(6));
            assert_eq!(cache.stats().site("verbs::row").unwrap().loads, 1);
        })
        .await;
}

async fn entries_by_hand_are_kept_near(builder: CacheBuilder) {
    let cache = builder.namespace("near").build().unwrap();
    let loads = Loads::default();
    let near = cache.entry("row").tag("rows").near(60 * SECOND).named("near");
    let call = async || near.get_or_load(|| loads.clone().next()).await.unwrap();
    let hits = || cache.stats().site("near").unwrap().near_hits;
    eventually("a value is kept", async || {
        call().await;
        cache.flush().await;
        hits() > 0
    })
    .await;
    let (kept, before) = (call().await, hits());
    assert_eq!(near.get::<u64>().await, Some(kept), "`get` asks the near cache as well");
    assert_eq!(hits(), before + 1);
    assert_eq!(cache.invalidate(Invalidation::new().tag("rows")).await, Outcome::Applied);
    assert!(call().await > kept, "an invalidation reaches the near cache");
    cache.flush().await;
    near.set(&1_000_u64).await.unwrap();
    assert_eq!(call().await, 1_000, "so does a value that is set");
    let shared = cache.entry("shared").near(60 * SECOND).named("shared");
    eventually("an `Arc` is kept", async || {
        shared.get_or_load(async || Ok::<_, Infallible>(Arc::new(7_u64))).await.unwrap();
        cache.flush().await;
        cache.stats().site("shared").unwrap().near_hits > 0
    })
    .await;
}

async fn each_name_has_its_statistics(builder: CacheBuilder) {
    let cache = builder.namespace("named").build().unwrap();
    for (key, name) in [("a", "first"), ("b", "second"), ("c", "second")] {
        cache.entry(key).named(name).get::<u64>().await;
        cache.entry(key).named(name).jitter(0.2).get::<u64>().await;
    }
    cache.entry("d").jitter(0.2).get::<u64>().await;
    cache.entry("d").get::<u64>().await;
    let stats = cache.stats();
    let unserved = |name| stats.site(name).unwrap().unserved;
    assert_eq!([unserved("first"), unserved("second"), unserved("Cache::entry")], [2, 4, 2], "{stats}");
    let rows = stats.sites.iter().filter(|site| site.site == "second").count();
    assert_eq!(rows, 1, "one row for each name");
}

#[tokio::test]
async fn a_contradiction_is_logged_once_and_no_call_fails() {
    let (log, _guard) = Log::listen(tracing::Level::ERROR);
    let cache = Cache::memory();
    let ms = Duration::from_millis;
    for _ in 0..3 {
        let entry = cache.entry("contradicting").named("contradicting").stale_while_revalidate(ms(200));
        let entry = entry.stale_if_error(ms(100)).jitter(7.0).load_timeout(ms(5)).near_through_gaps();
        assert_eq!(entry.get_or_load(async || Ok::<u64, Infallible>(7)).await, Ok(7));
        cache.flush().await;
    }
    let lines = log.take();
    assert_eq!(lines.len(), 4, "{lines:#?}");
    for part in ["stale_if_error", "jitter(7)", "load_timeout", "near_through_gaps"] {
        let says = |line: &String| line.contains(part) && line.contains("contradicting") && line.contains("ERROR");
        assert!(lines.iter().any(says), "{part}: {lines:#?}");
    }
    assert_eq!(cache.stats().site("contradicting").unwrap().hits, 2);
}

/// Sets of options without end.
#[tokio::test]
async fn options_hold_also_where_they_are_too_many_to_be_counted() {
    let (log, _guard) = Log::listen(tracing::Level::WARN);
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build().unwrap();
    for n in 1..=300 {
        let window = Duration::from_secs(n);
        let entry = cache.entry(format!("many-options:{n}")).ttl(SECOND).jitter(0.0).stale_while_revalidate(window);
        entry.set(&n).await.unwrap();
    }
    clock.advance(200 * SECOND);
    for n in [1, 100, 250, 300] {
        let entry = cache.entry(format!("many-options:{n}")).ttl(SECOND).jitter(0.0);
        let found = entry.stale_while_revalidate(Duration::from_secs(n)).get::<u64>().await;
        assert_eq!(found, (n > 200).then_some(n), "{n}");
    }
    let lines = log.take();
    assert!(lines.len() == 1 && lines[0].contains("256 sets of options"), "{lines:#?}");
}
