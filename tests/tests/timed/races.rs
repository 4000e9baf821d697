//! Interleavings that went wrong once, each produced on purpose.

use cached_core::store::{Fill, MemoryStore, Store, StoreFuture};
use cached_core::{BreakerState, Cache, Clock};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tests::{RedisServer, eventually};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const BUDGET: Duration = ms(100);

/// A store whose FILL takes effect at once and is acknowledged late.
#[derive(Debug)]
struct LateAcknowledgement {
    store: MemoryStore,
    filled: AtomicBool,
}

impl Store for LateAcknowledgement {
    tests::forward!(store: name, domain, capabilities, get, acquire, renew, release, put, remove, get_all, remove_all, tag, begin, end, sweep, ping);

    fn fill<'a>(&'a self, request: Fill<'a>) -> StoreFuture<'a, bool> {
        let fill = self.store.fill(request);
        Box::pin(async move {
            let filled = fill.await;
            self.filled.store(true, Ordering::SeqCst);
            tokio::time::sleep(ms(50)).await;
            filled
        })
    }
}

async fn read(cache: &Cache, database: &AtomicU64) -> u64 {
    let load = || async { Ok::<_, String>(database.load(Ordering::SeqCst)) };
    cache.entry("k").get_or_load(load).await.expect("the load succeeds")
}

fn redis(server: &RedisServer) -> Cache {
    Cache::builder().namespace("cache").redis(server.url()).budget(BUDGET).build().expect("sound settings")
}

#[tokio::test]
async fn a_write_between_a_fill_and_its_acknowledgement() {
    let store = MemoryStore::new(1 << 20, Clock::system());
    let store = Arc::new(LateAcknowledgement { store, filled: AtomicBool::new(false) });
    let cache = Cache::builder().namespace("cache").store(store.clone()).build().expect("sound settings");
    let database = AtomicU64::new(1);
    assert_eq!(read(&cache, &database).await, 1);
    eventually("the FILL was carried out", async || store.filled.load(Ordering::SeqCst)).await;
    database.store(2, Ordering::SeqCst);
    cache.entry("k").remove().await.expect("the store is well");
    assert_eq!(read(&cache, &database).await, 2);
}

/// The same without any delay: one writer and six readers of one process on a real server.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_writer_reads_its_own_writes_among_many_readers() {
    let server = RedisServer::start();
    let cache =
        Cache::builder().namespace("cache").redis(server.url()).budget(ms(2_000)).build().expect("sound settings");
    let (database, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (cache, database, is_over) = (cache.clone(), Arc::clone(&database), Arc::clone(&is_over));
        readers.spawn(async move {
            while !is_over.load(Ordering::SeqCst) {
                read(&cache, &database).await;
            }
        });
    }
    let mut stale = 0;
    for version in 1..=2_000 {
        database.store(version, Ordering::SeqCst);
        cache.entry("k").remove().await.expect("the server is well");
        stale += u32::from(read(&cache, &database).await < version);
    }
    is_over.store(true, Ordering::SeqCst);
    readers.join_all().await;
    assert_eq!(stale, 0, "stale reads after 2,000 completed writes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_loader_that_reads_before_it_returns_its_future() {
    let cache = Cache::memory();
    let database = Arc::new(AtomicU64::new(1));
    let (was_read, go_on) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let leader = tokio::spawn({
        let (cache, database) = (cache.clone(), Arc::clone(&database));
        let (was_read, go_on) = (Arc::clone(&was_read), Arc::clone(&go_on));
        async move {
            let load = || {
                let value = database.load(Ordering::SeqCst);
                was_read.store(true, Ordering::SeqCst);
                while !go_on.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                std::future::ready(Ok::<_, String>(value))
            };
            cache.entry("k").get_or_load(load).await
        }
    });
    eventually("the leader has read", async || was_read.load(Ordering::SeqCst)).await;
    database.store(2, Ordering::SeqCst);
    cache.entry("k").remove().await.expect("the store is well");
    let reader = tokio::spawn({
        let (cache, database) = (cache.clone(), Arc::clone(&database));
        async move { read(&cache, &database).await }
    });
    tokio::time::sleep(ms(20)).await;
    go_on.store(true, Ordering::SeqCst);
    assert_eq!(leader.await.expect("no panic"), Ok(1));
    assert_eq!(reader.await.expect("no panic"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_freezes_during_a_load_costs_followers_one_budget() {
    let server = RedisServer::start();
    let cache = redis(&server);
    let load_time = ms(100);
    let load = move || async move {
        tokio::time::sleep(load_time).await;
        Ok::<_, String>(1u8)
    };
    let loading = tokio::spawn({
        let cache = cache.clone();
        async move { cache.entry("k").get_or_load(load).await }
    });
    tokio::time::sleep(load_time / 2).await;
    server.freeze();
    let began = Instant::now();
    cache.entry("k").get_or_load(load).await.expect("the load succeeds");
    let took = began.elapsed();
    // The other half of the first load, its FILL, the rest of the time for a GET, and a load of its own.
    let most = load_time / 2 + BUDGET + BUDGET / 10 + load_time;
    assert!(took < most + ms(40), "{took:?}, but at most {most:?}");
    loading.await.expect("no panic").expect("the load succeeds");
    server.thaw();
}

/// Two runtimes behind synchronous functions, as in thread-local `block_on`.
#[test]
fn a_runtime_that_goes_idle_holds_up_no_other() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (first, second) = (runtime(), runtime());
    let server = RedisServer::start();
    for cache in [Cache::memory(), redis(&server)] {
        let call = || cache.entry("k").get_or_load(|| async { Ok::<_, String>(1u8) });
        first.block_on(call()).expect("the load succeeds");
        for _ in 0..2 {
            let began = Instant::now();
            second.block_on(call()).expect("the load succeeds");
            assert!(began.elapsed() < ms(500), "{:?} on {}", began.elapsed(), cache.stats().store);
        }
    }
}

#[test]
fn an_attempt_to_connect_on_a_runtime_that_went_idle_is_replaced() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (first, second) = (runtime(), runtime());
    let server = RedisServer::start();
    server.freeze();
    let cache =
        first.block_on(Cache::connect("cache", format!("redis://127.0.0.1:{}/1", server.port()))).expect("a sound URL");
    server.thaw();
    second.block_on(eventually("the cache is in use", async || {
        let _ = cache.entry("k").get_or_load(|| async { Ok::<_, String>(1u8) }).await;
        let stats = cache.stats();
        stats.breaker == BreakerState::Closed && stats.sites.iter().any(|site| site.hits > 0)
    }));
}

#[test]
fn without_a_runtime_functions_run_uncached() {
    let server = RedisServer::start();
    for cache in [Cache::memory(), redis(&server)] {
        futures_util::FutureExt::now_or_never(async {
            assert_eq!(cache.entry("k").get_or_load(|| async { Ok::<_, String>(1u8) }).await, Ok(1));
            assert_eq!(cache.entry("k").get::<u8>().await, None);
            assert!(cache.entry("k").set(&1u8).await.is_err());
            cache.flush().await;
        })
        .expect("nothing to wait for");
    }
}

#[tokio::test]
async fn callers_less_patient_than_the_budget_open_the_breaker_too() {
    let server = RedisServer::start();
    let cache = redis(&server);
    read(&cache, &AtomicU64::new(1)).await;
    cache.flush().await;
    server.freeze();
    let mut answered = 0;
    for _ in 0..20 {
        answered += u32::from(tokio::time::timeout(ms(80), read(&cache, &AtomicU64::new(1))).await.is_ok());
    }
    assert!(answered >= 15, "only {answered} of 20 calls that wait 80 ms were answered");
    server.thaw();
}

#[tokio::test]
async fn leaders_that_give_up_do_not_hand_their_waiting_on() {
    let server = RedisServer::start();
    let cache = redis(&server);
    read(&cache, &AtomicU64::new(1)).await;
    cache.flush().await;
    server.freeze();
    let mut impatient = tokio::task::JoinSet::new();
    for i in 1..=8 {
        let cache = cache.clone();
        impatient
            .spawn(async move { tokio::time::timeout(ms(45 * i), read(&cache, &AtomicU64::new(1))).await.is_ok() });
        tokio::task::yield_now().await;
    }
    let began = Instant::now();
    read(&cache, &AtomicU64::new(1)).await;
    assert!(began.elapsed() < BUDGET + BUDGET / 2, "{:?}", began.elapsed());
    server.thaw();
}

#[tokio::test]
async fn a_lease_without_an_end_is_nobodys() {
    let server = RedisServer::start();
    let _: redis::Value = server.send(&[b"SET", b"cache:k:k", b"L0123456789abcdef"]).await;
    let cache = redis(&server);
    let began = Instant::now();
    read(&cache, &AtomicU64::new(1)).await;
    assert!(began.elapsed() < ms(500), "{:?}", began.elapsed());
    cache.flush().await;
    assert_eq!(cache.entry("k").get::<u64>().await, Some(1));
}

#[tokio::test]
async fn an_entry_is_never_taken_for_the_mark_of_a_write() {
    let server = RedisServer::start();
    let cache = redis(&server);
    cache.entry("{t}:a:w").set(&1u8).await.expect("the server is well");
    for _ in 0..2 {
        cache.entry("{t}:a").get_or_load(|| async { Ok::<_, String>(1u8) }).await.expect("the load succeeds");
        cache.flush().await;
    }
    assert_eq!(cache.stats().site("Cache::entry").expect("it was called").loads, 1);
}

#[tokio::test]
async fn statistics_of_get_count_misses() {
    let cache = Cache::memory();
    cache.entry("k").set(&1u8).await.expect("the store is well");
    for key in ["k", "a", "b", "c"] {
        cache.entry(key).get::<u8>().await;
    }
    let stats = cache.stats();
    let site = stats.site("Cache::entry").expect("it was called");
    assert_eq!((site.calls(), site.hits, site.unserved), (4, 1, 3));
    assert!((site.hit_ratio() - 0.25).abs() < 1e-9);
}
