//! Calls that wait for another call's load, or for a place among the loads: what ends their wait, and how many of them
//! load then.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, redis_cached};
use futures_util::FutureExt;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tests::{RedisServer, patient_cache};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const NOBODY: &str = "redis://127.0.0.1:1/";

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Counts loads, and those that run at the same time.
#[derive(Debug, Default)]
struct Source {
    all: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Source {
    async fn load(&self, takes: Duration) -> Result<u64, String> {
        self.all.fetch_add(1, SeqCst);
        self.most.fetch_max(self.now.fetch_add(1, SeqCst) + 1, SeqCst);
        sleep(takes).await;
        self.now.fetch_sub(1, SeqCst);
        Ok(1)
    }

    /// The number of loads, and the largest number at once.
    fn seen(&self) -> (usize, usize) {
        (self.all.load(SeqCst), self.most.load(SeqCst))
    }
}

/// Concurrent calls, each for the key that `key` gives it.
async fn calls(cache: &Cache, count: u64, key: impl Fn(u64) -> String, takes: Duration) -> (usize, usize) {
    let source = Arc::new(Source::default());
    let mut calls = JoinSet::new();
    for i in 0..count {
        let (cache, source, key) = (cache.clone(), Arc::clone(&source), key(i));
        calls.spawn(async move { cache.entry(key).get_or_load(|| source.load(takes)).await });
    }
    while let Some(value) = calls.join_next().await {
        assert_eq!(value.unwrap(), Ok(1));
    }
    source.seen()
}

#[tokio::test]
async fn a_load_slower_than_max_wait_does_not_become_a_stampede() {
    let server = RedisServer::start();
    let cache =
        Cache::builder().namespace("cache").redis(server.url()).budget(ms(2_000)).max_wait(ms(200)).build().unwrap();
    let (all, most) = calls(&cache, 200, |_| "report".to_owned(), ms(700)).await;
    assert!(all <= 3 && most <= 2, "{all} loads of one key, {most} of them at once");
}

#[tokio::test]
async fn nor_does_it_without_redis() {
    let cache = Cache::builder().namespace("cache").redis(NOBODY).max_wait(ms(200)).build().unwrap();
    let (all, most) = calls(&cache, 200, |_| "report".to_owned(), ms(500)).await;
    // Some calls find out for themselves that the server is away, before the breaker is open.
    assert!(all <= 10 && most <= 5, "{all} loads of one key, {most} of them at once");
}

#[redis_cached(key = "waiting:slow:<id>", skip(source), spawn)]
async fn spawned(id: u64, source: Arc<Source>) -> Result<u64, String> {
    source.load(ms(700)).await.map(|value| value + id)
}

#[tokio::test]
async fn nor_with_loads_that_are_tasks() {
    let server = RedisServer::start();
    let cache =
        Cache::builder().namespace("cache").redis(server.url()).budget(ms(2_000)).max_wait(ms(200)).build().unwrap();
    let source = Arc::new(Source::default());
    let calls = (0..200).map(|_| cache.scope(spawned(1, Arc::clone(&source))));
    assert!(futures_util::future::join_all(calls).await.into_iter().all(|value| value == Ok(2)));
    let (all, most) = source.seen();
    assert!(all <= 3 && most <= 2, "{all} loads of one key, {most} of them at once");
}

#[tokio::test]
async fn the_bound_on_loads_without_redis_holds_after_max_wait() {
    let cache = Cache::builder().namespace("cache").redis(NOBODY).max_wait(ms(50)).load_limit(4).build().unwrap();
    let (all, most) = calls(&cache, 40, |i| format!("row:{i}"), ms(200)).await;
    assert_eq!((all, most), (40, 4), "all are loaded, four at once");
}

#[redis_cached(key = "waiting:row:<id>", batch = ids, skip(source))]
async fn rows(ids: &[u64], source: &Source) -> Result<HashMap<u64, u64>, String> {
    source.load(ms(200)).await?;
    Ok(ids.iter().map(|id| (*id, *id)).collect())
}

#[tokio::test]
async fn it_holds_for_batches_as_well() {
    let cache = Cache::builder().namespace("cache").redis(NOBODY).max_wait(ms(50)).load_limit(4).build().unwrap();
    let source = Source::default();
    let ids: Vec<[u64; 2]> = (0..40).map(|i| [2 * i, 2 * i + 1]).collect();
    let calls = ids.iter().map(|ids| cache.scope(rows(ids, &source)));
    assert!(futures_util::future::join_all(calls).await.into_iter().all(|rows| rows.unwrap().len() == 2));
    assert_eq!(source.seen(), (40, 4));
}

/// A load awaits a task that makes a cached call. If such loads take all places, none becomes free.
async fn loads_that_wait_for_calls_in_line<F: Future<Output = Result<u64, String>> + Send + 'static>(
    inner: impl Fn(Cache, u64) -> F,
) -> Duration {
    let cache = Cache::builder().namespace("cache").redis(NOBODY).load_limit(4).build().unwrap();
    // Opens the breaker.
    calls(&cache, 4, |i| format!("warm:{i}"), Duration::ZERO).await;
    let mut outer = JoinSet::new();
    let began = Instant::now();
    for i in 0..4 {
        let (cache, inner) = (cache.clone(), inner(cache.clone(), i));
        outer.spawn(async move {
            let load = || async move {
                sleep(ms(20)).await;
                inner.await
            };
            cache.entry(format!("outer:{i}")).get_or_load(load).await
        });
    }
    while let Some(value) = outer.join_next().await {
        assert_eq!(value.unwrap(), Ok(2));
    }
    began.elapsed()
}

/// The fault costs five seconds, `max_wait`, for each of them.
const SOON: Duration = Duration::from_millis(2_500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_that_spawn_cached_calls_do_not_wait_for_their_own_places() {
    let took = loads_that_wait_for_calls_in_line(|cache, i| async move {
        let load = || async { Ok::<u64, String>(2) };
        tokio::spawn(async move { cache.entry(format!("inner:{i}")).get_or_load(load).await }).await.unwrap()
    })
    .await;
    assert!(took < SOON, "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_do_loads_that_block_a_thread_on_one() {
    let took = loads_that_wait_for_calls_in_line(|cache, i| async move {
        let load = || async { Ok::<u64, String>(2) };
        let runtime = tokio::runtime::Handle::current();
        let call = move || runtime.block_on(cache.entry(format!("blocking:{i}")).get_or_load(load));
        tokio::task::spawn_blocking(call).await.unwrap()
    })
    .await;
    assert!(took < SOON, "{took:?}");
}

/// Long enough to tell its first part from the whole on a busy machine.
const LEASE: Duration = Duration::from_secs(6);

/// Two programs, one after the other: the first ends with its call, and leaves its lease behind. Returns how long the
/// call of the second one took.
fn after_a_short_program(load: Duration) -> Duration {
    let server = RedisServer::start();
    let program = |within| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let cache = Cache::builder()
            .namespace("cache")
            .redis(server.url())
            .budget(ms(2_000))
            .lease_ttl(LEASE)
            .max_wait(2 * LEASE);
        let cache = cache.build().unwrap();
        let began = Instant::now();
        runtime.block_on(async {
            let load = || async {
                sleep(load).await;
                Ok::<u64, ()>(1)
            };
            // The error is that the program does not wait any longer.
            let _ = timeout(within, cache.entry("k").get_or_load(load)).await;
        });
        began.elapsed()
    };
    program(ms(200));
    program(2 * LEASE)
}

#[test]
fn a_program_that_ends_after_its_call_does_not_keep_the_next_one_waiting() {
    let took = after_a_short_program(Duration::ZERO);
    assert!(took < LEASE / 2, "{took:?} for a load that takes no time");
}

#[test]
fn nor_does_one_that_ends_during_its_load() {
    let took = after_a_short_program(ms(400));
    assert!(took < LEASE / 2, "{took:?} for a load of 400 ms");
}

#[redis_cached(key = "waiting:given-up:<round>:<id>", batch = ids)]
async fn given_up(round: u64, ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id + round)).collect()
}

#[tokio::test]
async fn a_batch_that_is_given_up_at_any_moment_leaves_no_lease() {
    let server = RedisServer::start();
    let cache = Cache::builder()
        .namespace("cache")
        .redis(server.url())
        .budget(ms(5_000))
        .lease_ttl(Duration::from_secs(600))
        .build()
        .unwrap();
    let ids: Vec<u64> = (0..20).collect();
    cache.scope(given_up(0, &ids)).await;
    for polls in 1..40 {
        let mut batch = Box::pin(cache.scope(given_up(polls, &ids)));
        for _ in 0..polls {
            if (&mut batch).now_or_never().is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(batch);
    }
    cache.flush().await;
    let leases = async || {
        let keys: Vec<String> = server.send(&[b"KEYS", b"*given-up*"]).await;
        let mut leases = 0;
        for key in keys {
            let register: Option<Vec<u8>> = server.send(&[b"GET", key.as_bytes()]).await;
            leases += usize::from(register.is_some_and(|register| register.starts_with(b"L")));
        }
        leases
    };
    tests::eventually("all leases are released", async || leases().await == 0).await;
}

#[tokio::test]
async fn nor_do_single_calls() {
    let server = RedisServer::start();
    let cache = Cache::builder()
        .namespace("cache")
        .redis(server.url())
        .budget(ms(5_000))
        .lease_ttl(Duration::from_secs(600))
        .build()
        .unwrap();
    patient_cache(&server.url()).entry("warm").set(&1).await.unwrap();
    for polls in 1..40 {
        // Several at once, so that their steps go out together.
        let load = || async { Ok::<u64, ()>(1) };
        let calls = (0..20).map(|i| cache.entry(format!("single:{polls}:{i}")).get_or_load(load));
        let mut calls = futures_util::future::join_all(calls);
        for _ in 0..polls {
            if (&mut calls).now_or_never().is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    cache.flush().await;
    tests::eventually("all leases are released", async || {
        let script = b"local n = 0 for _, k in ipairs(redis.call('KEYS', '*single:*')) do
            if string.sub(redis.call('GET', k), 1, 1) == 'L' then n = n + 1 end end return n";
        server.send::<u64>(&[b"EVAL", script, b"0"]).await == 0
    })
    .await;
}
