//! The way of a call when all is well, and when its load does not end well, on the memory store and on Redis.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{ByHand, Cache, Clock, Entry, MissReason, UnstoredReason, Untyped};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tests::{RedisServer, eventually};
use tokio::sync::{Barrier, Notify};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// A cache under test, its server if it has one, and a counter of loads.
struct Subject {
    cache: Cache,
    clock: Clock,
    loads: Arc<AtomicU64>,
    server: Option<RedisServer>,
}

impl Subject {
    fn memory() -> Self {
        let clock = Clock::manual();
        let cache = Cache::builder().clock(clock.clone()).build().unwrap();
        Self { cache, clock, loads: Arc::default(), server: None }
    }

    fn redis() -> Self {
        let server = RedisServer::start();
        // Thousands of concurrent callers in a debug build on a busy machine are not a fault of the server.
        let cache = Cache::builder().namespace("cache").redis(server.url()).budget(Duration::from_secs(5));
        // Nor is it the lease's fault if the task that is to store the value had no turn.
        let cache = cache.lease_ttl(Duration::from_secs(60)).build().unwrap();
        Self { cache, clock: Clock::manual(), loads: Arc::default(), server: Some(server) }
    }

    fn loads(&self) -> u64 {
        self.loads.load(Ordering::SeqCst)
    }

    /// A call whose load counts itself and returns its number.
    async fn call(&self, key: &str) -> Result<u64, String> {
        self.call_with(self.cache.entry(key)).await
    }

    async fn call_with(&self, entry: Entry<Untyped, ByHand>) -> Result<u64, String> {
        let load = || async { Ok(self.loads.fetch_add(1, Ordering::SeqCst) + 1) };
        let value = entry.get_or_load(load).await;
        self.cache.flush().await;
        value
    }

    fn stats(&self) -> cached_core::SiteStats {
        self.cache.stats().site("Cache::entry").expect("it was called").clone()
    }
}

async fn the_second_call_is_a_hit(on: Subject) {
    assert_eq!(on.call("a").await, Ok(1));
    assert_eq!(on.call("a").await, Ok(1));
    assert_eq!(on.call("b").await, Ok(2));
    let stats = on.stats();
    assert_eq!((stats.hits, stats.loads, stats.stored, stats.bypassed), (1, 2, 2, 0));
    assert_eq!(stats.misses[&MissReason::Absent], 2);
    assert!(stats.bytes_read > 0 && stats.bytes_written > stats.bytes_read);
    assert!((stats.hit_ratio() - 1.0 / 3.0).abs() < 1e-9);
}

async fn an_error_is_never_stored(on: Subject) {
    for _ in 0..3 {
        let load = || async { Err::<u64, _>("no database".to_owned()) };
        assert_eq!(on.cache.entry("a").get_or_load(load).await, Err("no database".to_owned()));
    }
    assert_eq!(on.call("a").await, Ok(1), "nothing stands in the way of the next load");
    let stats = on.stats();
    assert_eq!((stats.load_errors, stats.loads, stats.stored), (3, 4, 1));
}

async fn a_none_is_remembered(on: Subject) {
    for _ in 0..3 {
        let load = || async {
            on.loads.fetch_add(1, Ordering::SeqCst);
            Ok::<_, String>(None::<u64>)
        };
        assert_eq!(on.cache.entry("a").get_or_load_option(load).await, Ok(None));
        on.cache.flush().await;
    }
    assert_eq!(on.loads(), 1);
    // A caller whose type cannot hold the value loads.
    assert_eq!(on.call("a").await, Ok(2));
}

async fn zero_time_to_live_means_not_stored(on: Subject) {
    let never = on.cache.entry("a").ttl(Duration::ZERO);
    assert_eq!(on.call_with(never.clone()).await, Ok(1));
    assert_eq!(on.call_with(never.clone()).await, Ok(2));
    assert_eq!(on.stats().unstored[&UnstoredReason::Policy], 2);
}

/// A load whose value is not stored gives its lease back before the next caller asks.
async fn what_is_not_stored_does_not_hold_up_the_next_call(on: Subject) {
    let never = on.cache.entry("a").ttl(Duration::ZERO);
    for _ in 0..20 {
        let load = || async { Ok::<_, String>(1u64) };
        never.get_or_load(load).await.unwrap();
    }
    let stats = on.stats();
    assert_eq!((stats.loads, stats.lease_waits), (20, 0), "{stats:?}");
}

async fn values_end_with_their_time_to_live(on: Subject) {
    let short = on.cache.entry("a").ttl(Duration::from_millis(100));
    assert_eq!(on.call_with(short.clone()).await, Ok(1));
    on.clock.advance(Duration::from_millis(111));
    eventually("the value expires", async || on.call_with(short.clone()).await == Ok(2)).await;
}

async fn values_that_are_too_large_are_returned_and_not_stored(on: Subject) {
    let load = || async { Ok::<_, String>("x".repeat(2 << 20)) };
    for _ in 0..2 {
        assert_eq!(on.cache.entry("a").get_or_load(load).await.unwrap().len(), 2 << 20);
        on.cache.flush().await;
    }
    let stats = on.stats();
    assert_eq!((stats.loads, stats.unstored[&UnstoredReason::TooLarge]), (2, 2));
}

async fn set_get_and_delete(on: Subject) {
    assert_eq!(on.cache.entry("a").get::<u64>().await, None);
    on.cache.entry("a").set(&7u64).await.unwrap();
    assert_eq!(on.cache.entry("a").get::<u64>().await, Some(7));
    assert_eq!(on.cache.entry("a").get::<String>().await, None, "another type");
    assert_eq!(on.call("a").await, Ok(7));
    on.cache.entry("a").remove().await.unwrap();
    assert_eq!(on.cache.entry("a").get::<u64>().await, None);
    assert_eq!(on.cache.stats().site("Cache::entry").unwrap().misses[&MissReason::Type], 1);
}

async fn a_delete_during_a_load_keeps_the_loaded_value_out(on: Subject) {
    let (loading, deleted) = (Notify::new(), Notify::new());
    let load = || async {
        loading.notify_one();
        deleted.notified().await;
        Ok::<_, String>(1u64)
    };
    let caller = on.cache.entry("a").get_or_load(load);
    let writer = async {
        loading.notified().await;
        on.cache.entry("a").remove().await.unwrap();
        deleted.notify_one();
    };
    assert_eq!(tokio::join!(caller, writer).0, Ok(1), "a value that was computed is returned");
    on.cache.flush().await;
    assert_eq!(on.cache.entry("a").get::<u64>().await, None);
    assert_eq!(on.stats().unstored[&UnstoredReason::LeaseLost], 1);
}

/// Two fills in flight and an invalidation between them: later callers must not get what was loaded before.
async fn a_caller_after_a_delete_does_not_get_a_load_from_before(on: Subject) {
    let (loading, go_on) = (Notify::new(), Notify::new());
    let old = || async {
        loading.notify_one();
        go_on.notified().await;
        Ok::<_, String>("old".to_owned())
    };
    let early = on.cache.entry("a").get_or_load(old);
    let late = async {
        loading.notified().await;
        on.cache.entry("a").remove().await.unwrap();
        let late = on.cache.entry("a").get_or_load(|| async { Ok::<_, String>("new".to_owned()) });
        let release = async {
            tokio::task::yield_now().await;
            go_on.notify_one();
        };
        tokio::join!(late, release).0
    };
    let (early, late) = tokio::join!(early, late);
    assert_eq!((early.unwrap().as_str(), late.unwrap().as_str()), ("old", "new"));
    on.cache.flush().await;
    assert_eq!(on.cache.entry("a").get::<String>().await.as_deref(), Some("new"));
}

async fn callers_at_once_load_once(on: Subject) {
    let (cache, loads) = (on.cache.clone(), Arc::clone(&on.loads));
    let mut callers = JoinSet::new();
    for _ in 0..200 {
        let (cache, loads) = (cache.clone(), Arc::clone(&loads));
        callers.spawn(async move {
            let load = || async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok::<_, String>(loads.fetch_add(1, Ordering::SeqCst) + 1)
            };
            cache.entry("a").get_or_load(load).await
        });
    }
    assert!(callers.join_all().await.iter().all(|value| *value == Ok(1)));
    let stats = on.stats();
    assert_eq!((stats.loads, stats.hits + stats.coalesced, stats.bypassed), (1, 199, 0));
}

async fn callers_of_a_hot_key_share_their_reads(on: Subject) {
    on.call("a").await.unwrap();
    let all_here = Arc::new(Barrier::new(1_000));
    let mut callers = JoinSet::new();
    for _ in 0..1_000 {
        let (cache, all_here) = (on.cache.clone(), Arc::clone(&all_here));
        callers.spawn(async move {
            all_here.wait().await;
            cache.entry("a").get_or_load(|| async { Err::<u64, _>("a load") }).await
        });
    }
    assert!(callers.join_all().await.iter().all(|value| *value == Ok(1)));
    if let Some(server) = &on.server {
        let commands: String = server.send(&[b"INFO", b"commandstats"]).await;
        let gets: u32 = commands
            .lines()
            .find_map(|line| line.strip_prefix("cmdstat_get:calls=")?.split(',').next()?.parse().ok())
            .unwrap();
        assert!(gets < 100, "{gets} GETs for 1,000 callers of one key at once");
    }
    assert_eq!(on.stats().hits, 1_000);
}

/// 200 callers of one key. The load of the first ends as `end` says; the others' loads fail.
async fn followers_of(on: &Subject, end: impl Future<Output = Result<u64, String>> + Send + 'static) -> Duration {
    let (cache, loads) = (on.cache.clone(), Arc::clone(&on.loads));
    let began = Instant::now();
    let mut callers = JoinSet::new();
    let end = Arc::new(std::sync::Mutex::new(Some(end)));
    let all_here = Arc::new(Barrier::new(200));
    for _ in 0..200 {
        let (cache, loads, end, all_here) =
            (cache.clone(), Arc::clone(&loads), Arc::clone(&end), Arc::clone(&all_here));
        callers.spawn(async move {
            all_here.wait().await;
            let load = || async {
                loads.fetch_add(1, Ordering::SeqCst);
                let end = end.lock().unwrap().take();
                if let Some(end) = end {
                    return end.await;
                }
                tokio::time::sleep(LOAD).await;
                Err("no database".to_owned())
            };
            cache.entry("a").get_or_load(load).await
        });
    }
    while callers.join_next().await.is_some() {}
    began.elapsed()
}

const LOAD: Duration = Duration::from_millis(300);

async fn a_load_that_fails_does_not_queue_its_followers(on: Subject) {
    let took = followers_of(&on, async {
        tokio::time::sleep(LOAD).await;
        Err("no database".to_owned())
    })
    .await;
    assert!(took < 3 * LOAD, "200 callers of a load that takes {LOAD:?} and fails took {took:?}");
    assert_eq!(on.call("a").await, Ok(201), "and nothing is left behind");
}

async fn a_load_that_panics_does_not_queue_its_followers(on: Subject) {
    let took = followers_of(&on, async {
        tokio::time::sleep(LOAD).await;
        // Like a panic, but without the message and the backtrace, which take longer to print than the load.
        std::panic::resume_unwind(Box::new("a loader's own bug"))
    })
    .await;
    assert!(took < 3 * LOAD, "200 callers of a load that takes {LOAD:?} and panics took {took:?}");
    assert_eq!(on.call("a").await, Ok(201));
}

async fn an_aborted_leader_hands_over(on: Subject) {
    let loading = Arc::new(Notify::new());
    let leader = tokio::spawn({
        let (cache, loading) = (on.cache.clone(), Arc::clone(&loading));
        async move {
            let load = || async {
                loading.notify_one();
                std::future::pending::<Result<u64, String>>().await
            };
            cache.entry("a").get_or_load(load).await
        }
    });
    loading.notified().await;
    let follower = on.call("a");
    let abort = async {
        tokio::task::yield_now().await;
        leader.abort();
    };
    let began = Instant::now();
    assert_eq!(tokio::join!(follower, abort).0, Ok(1));
    assert!(began.elapsed() < Duration::from_secs(1), "it waited for the lease to run out: {:?}", began.elapsed());
    assert_eq!(on.call("a").await, Ok(1), "the follower's load was stored");
}

async fn a_leader_aborted_at_any_point_leaves_nothing_in_the_way(on: Subject) {
    for round in 0..60u64 {
        let key = format!("k{round}");
        let call = on.cache.entry(&key).get_or_load(|| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok::<_, String>(0)
        });
        // Dropped after this many microseconds: before the GET, during ACQUIRE, during the load, during the fill.
        let _ = tokio::time::timeout(Duration::from_micros(40 * round), call).await;
        let began = Instant::now();
        assert!(on.call(&key).await.is_ok());
        assert!(began.elapsed() < Duration::from_secs(1), "round {round}: {:?}", began.elapsed());
    }
}

async fn a_function_that_calls_itself_does_not_wait_for_itself(on: Subject) {
    async fn countdown(cache: &Cache, n: u64) -> Result<u64, String> {
        let load = || async { if n == 0 { Ok(0) } else { Box::pin(countdown(cache, n - 1)).await } };
        Box::pin(cache.entry("same key").get_or_load(load)).await
    }
    let began = Instant::now();
    assert_eq!(countdown(&on.cache, 3).await, Ok(0));
    assert!(began.elapsed() < Duration::from_millis(500));
    assert_eq!(on.stats().misses[&MissReason::SelfCall], 3);
}

async fn two_loads_that_wait_for_each_other_end(on: Subject) {
    let both = Barrier::new(2);
    let call = |mine: &'static str, other: &'static str| {
        let (cache, both) = (&on.cache, &both);
        cache.entry(mine).get_or_load(move || async move {
            both.wait().await;
            let value = cache.entry(other).get_or_load(|| async { Ok::<u64, String>(1) }).await;
            value.map(|value| value + 1)
        })
    };
    let began = Instant::now();
    let (a, b) = tokio::join!(call("a", "b"), call("b", "a"));
    assert!(a.is_ok() && b.is_ok());
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

async fn more_background_loads_than_there_is_room_are_all_stored(on: Subject) {
    let mut callers = JoinSet::new();
    for i in 0..3_000 {
        let cache = on.cache.clone();
        callers.spawn(async move { cache.entry(format!("k{i}")).get_or_load(|| async { Ok::<_, String>(i) }).await });
    }
    assert!(callers.join_all().await.iter().all(Result::is_ok));
    on.cache.flush().await;
    let stats = on.stats();
    assert_eq!((stats.loads, stats.stored), (3_000, 3_000), "{stats:?}");
}

macro_rules! on_every_store {
    ($($name:ident)*) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Subject::memory()).await;
            })*
        }
        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Subject::redis()).await;
            })*
        }
    };
}
on_every_store! {
    the_second_call_is_a_hit
    an_error_is_never_stored
    a_none_is_remembered
    zero_time_to_live_means_not_stored
    what_is_not_stored_does_not_hold_up_the_next_call
    values_end_with_their_time_to_live
    values_that_are_too_large_are_returned_and_not_stored
    set_get_and_delete
    a_delete_during_a_load_keeps_the_loaded_value_out
    a_caller_after_a_delete_does_not_get_a_load_from_before
    callers_at_once_load_once
    callers_of_a_hot_key_share_their_reads
    a_load_that_fails_does_not_queue_its_followers
    a_load_that_panics_does_not_queue_its_followers
    an_aborted_leader_hands_over
    a_leader_aborted_at_any_point_leaves_nothing_in_the_way
    a_function_that_calls_itself_does_not_wait_for_itself
    two_loads_that_wait_for_each_other_end
    more_background_loads_than_there_is_room_are_all_stored
}
