//! Values past their end, on real servers: one call refreshes them, all are served, and an invalidated value is never
//! served.

use cached_core::{Cache, CacheEvent, Invalidation, Outcome, redis_cached, redis_invalidate};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tests::{RedisServer, Worker, eventually, patient_cache};
use tokio::time::sleep;

const REFRESHER: &str = env!("CARGO_BIN_EXE_refresher");

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A row of the database; a load reads it first and then takes its time.
#[derive(Debug, Default, Clone)]
struct Source(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    version: AtomicU64,
    loads: AtomicU64,
    is_down: std::sync::atomic::AtomicBool,
}

impl Source {
    fn version(&self) -> u64 {
        self.0.version.load(Ordering::SeqCst)
    }

    fn loads(&self) -> u64 {
        self.0.loads.load(Ordering::SeqCst)
    }

    fn goes_down(&self) {
        self.0.is_down.store(true, Ordering::SeqCst);
    }

    fn commit(&self) -> u64 {
        self.0.version.fetch_add(1, Ordering::SeqCst) + 1
    }

    async fn read(&self, takes: Duration) -> Result<u64, String> {
        self.0.loads.fetch_add(1, Ordering::SeqCst);
        if self.0.is_down.load(Ordering::SeqCst) {
            return Err("the source is down".to_owned());
        }
        let version = self.version();
        sleep(takes).await;
        Ok(version)
    }
}

/// A row has changed.
#[derive(Debug, CacheEvent)]
struct Changed {
    id: u64,
}

#[redis_cached(
    key = "row:<id>",
    skip(cache, source, takes),
    ttl = "3ms",
    jitter = 0.0,
    stale_while_revalidate = "1m",
    refresh = "background",
    tags = "group:<id>",
    invalidate_on = Changed { id },
    cache = cache
)]
async fn row(cache: &Cache, source: &Source, id: u64, takes: Duration) -> Result<u64, String> {
    source.read(takes).await
}

#[redis_invalidate(key = "row:<id>", cache = cache)]
async fn write_in_a_bracket(cache: &Cache, source: &Source, id: u64) -> u64 {
    sleep(ms(1)).await;
    source.commit()
}

#[redis_invalidate(Changed { id }, cache = cache)]
async fn write_with_an_event(cache: &Cache, source: &Source, id: u64) -> u64 {
    source.commit()
}

/// One of the ways to write.
async fn write(way: u64, cache: &Cache, source: &Source, id: u64) -> u64 {
    match way {
        0 => write_in_a_bracket(cache, source, id).await,
        1 => write_with_an_event(cache, source, id).await,
        2 => {
            let version = source.commit();
            let outcome = cache.invalidate(Invalidation::new().tag(format!("group:{id}"))).await;
            assert_eq!(outcome, Outcome::Applied);
            version
        }
        _ => {
            let version = source.commit();
            cache.entry(format!("row:{id}")).remove().await.expect("the server is there");
            version
        }
    }
}

/// Reads until it is stopped, and counts results that are older than what had been written before the read began.
async fn reader(cache: Cache, source: Source, written: Arc<AtomicU64>, id: u64, until: Instant) -> (u64, u64) {
    let (mut reads, mut stale) = (0, 0);
    while Instant::now() < until {
        let at_least = written.load(Ordering::SeqCst);
        let version = row(&cache, &source, id, ms(id % 4)).await.expect("the load succeeds");
        (reads, stale) = (reads + 1, stale + u64::from(version < at_least));
        tokio::task::yield_now().await;
    }
    (reads, stale)
}

/// Rounds in which a value past its end is refreshed in the background, in two processes' caches, and is invalidated at
/// a random moment.
async fn rounds_of(way: u64, rounds: u64) {
    let server = RedisServer::start();
    let (here, there) = (patient_cache(&server.url()), patient_cache(&server.url()));
    let mut stale = 0;
    for id in 0..rounds {
        let source = Source::default();
        let written = Arc::new(AtomicU64::new(0));
        row(&here, &source, id, ms(0)).await.expect("the load succeeds");
        here.flush().await;
        sleep(ms(4)).await;
        let until = Instant::now() + ms(30);
        let readers = [&here, &there, &there]
            .map(|cache| tokio::spawn(reader(cache.clone(), source.clone(), Arc::clone(&written), id, until)));
        sleep(Duration::from_micros(fastrand::u64(0..8_000))).await;
        let version = write(way, &here, &source, id).await;
        written.store(version, Ordering::SeqCst);
        for reader in readers {
            stale += reader.await.expect("no panic").1;
        }
    }
    let refreshed = [&here, &there].map(|cache| cache.stats().site("row").expect("it was called").refreshes);
    let refreshed: u64 = refreshed.iter().sum();
    assert!(refreshed > rounds, "{refreshed} values refreshed in {rounds} rounds");
    assert_eq!(stale, 0, "in {rounds} rounds of way {way}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bracket_during_a_refresh() {
    rounds_of(0, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_during_a_refresh() {
    rounds_of(1, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tag_during_a_refresh() {
    rounds_of(2, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalidation_during_a_refresh() {
    rounds_of(3, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_hot_value_ends_one_process_refreshes_it_and_nobody_waits() {
    // The machine may be busy just then. A caller that waits for the load would wait in each of the runs.
    let mut longest = Vec::new();
    for _ in 0..3 {
        let server = RedisServer::start();
        let start = |_| Worker::start(REFRESHER, &server.url(), "well", 20, 100, 3_000);
        let mut workers: Vec<_> = (0..3).map(start).collect();
        workers.iter_mut().for_each(Worker::go);
        let reports: Vec<_> = workers.iter_mut().map(Worker::report).collect();
        let loads: u64 = reports.iter().map(|report| report.loads).sum();
        assert_eq!(loads, 2, "the first, and one to renew it: {reports:?}");
        longest.push(reports.iter().map(|report| report.slowest_ms).fold(0.0, f64::max));
        if longest.last() < Some(&5.0) {
            return;
        }
    }
    panic!("calls around the end took longer than the slowest hit by so many ms: {longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_try_a_source_that_is_down_once_in_an_interval() {
    let server = RedisServer::start();
    let mut workers: Vec<_> =
        (0..2).map(|_| Worker::start(REFRESHER, &server.url(), "failing", 20, 10, 3_000)).collect();
    workers.iter_mut().for_each(Worker::go);
    // An error of a caller would end the process without a report.
    let reports: Vec<_> = workers.iter_mut().map(Worker::report).collect();
    let loads: u64 = reports.iter().map(|report| report.loads).sum();
    // From 1.2 s to 2.3 s after the first load, every 200 ms.
    assert!((3..=8).contains(&loads), "{reports:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_refresh_lease_of_a_killed_process_runs_out() {
    let server = RedisServer::start();
    let mut dead = Worker::start(REFRESHER, &server.url(), "hanging", 1, 10, 1_000);
    dead.go();
    dead.wait_until_loading();
    dead.kill();
    let killed = Instant::now();
    assert!(
        !server.send::<Vec<u8>>(&[b"GET", b"cache:r:k:renewed:hanging"]).await.is_empty(),
        "it had the refresh lease"
    );
    let mut next = Worker::start(REFRESHER, &server.url(), "hanging", 1, 10, 1_000);
    next.go();
    // Its first load is the refresh, as soon as it has the refresh lease.
    eventually("the refresh lease is given to the next", async || {
        let register: Vec<u8> = server.send(&[b"GET", b"cache:r:k:renewed:hanging"]).await;
        register.is_empty()
    })
    .await;
    assert!(killed.elapsed() < ms(3_000), "{:?}", killed.elapsed());
    let report = next.report();
    assert_eq!(report.values.len(), 2, "the old value, then its own: {report:?}");
}

#[redis_cached(
    key = "plain:<id>",
    skip(cache, source),
    ttl = "10ms",
    jitter = 0.0,
    stale_while_revalidate = "1m",
    cache = cache
)]
async fn plain(cache: &Cache, source: &Source, id: u64) -> Result<u64, String> {
    source.read(ms(0)).await
}

/// Shares its entries with `plain`.
#[redis_cached(key = "plain:<id>", skip(cache, source), ttl = "1m", cache = cache)]
async fn plain_without(cache: &Cache, source: &Source, id: u64) -> Result<u64, String> {
    source.read(ms(0)).await
}

#[tokio::test]
async fn whatever_stands_in_place_of_a_refresh_lease_is_replaced() {
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    let refresh_lease = b"cache:r:k:plain:1";
    for garbage in [
        &[&b"SET"[..], refresh_lease, b"garbage"][..],
        &[b"SET", refresh_lease, b"L0123456789abcdef"],
        &[b"LPUSH", refresh_lease, b"a"],
    ] {
        let source = Source::default();
        server.send::<()>(&[b"DEL", b"cache:k:plain:1", refresh_lease]).await;
        plain(&cache, &source, 1).await.unwrap();
        cache.flush().await;
        server.send::<redis::Value>(garbage).await;
        sleep(ms(15)).await;
        source.commit();
        assert_eq!(plain(&cache, &source, 1).await, Ok(1), "{garbage:?}");
        cache.flush().await;
        assert_eq!(server.send::<u64>(&[b"EXISTS", refresh_lease]).await, 0);
    }
}

#[tokio::test]
async fn a_server_that_dies_during_a_refresh_costs_nobody_anything() {
    let mut server = RedisServer::start();
    let cache = Cache::builder().namespace("cache").redis(server.url()).build().unwrap();
    let source = Source::default();
    for id in 0..3 {
        row(&cache, &source, id, ms(0)).await.unwrap();
    }
    cache.flush().await;
    sleep(ms(10)).await;
    for id in 0..3 {
        assert_eq!(row(&cache, &source, id, ms(50)).await, Ok(0), "refreshed in the background");
    }
    sleep(ms(10)).await;
    server.kill();
    source.commit();
    for id in 0..3 {
        assert_eq!(row(&cache, &source, id, ms(0)).await, Ok(1), "without the server");
    }
    sleep(ms(60)).await;
    server.restart();
    eventually("it is in use again", async || {
        row(&cache, &source, 1, ms(0)).await.unwrap();
        cache.flush().await;
        server.send::<u64>(&[b"EXISTS", b"cache:k:row:1"]).await == 1
    })
    .await;
    assert_eq!(row(&cache, &source, 1, ms(0)).await, Ok(1));
}

#[tokio::test]
async fn functions_with_one_template_read_what_the_other_stores() {
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    let source = Source::default();
    plain(&cache, &source, 7).await.unwrap();
    cache.flush().await;
    sleep(ms(15)).await;
    source.commit();
    // Past its end it is a miss for the function that keeps nothing, and what that one stores has no end but Redis'
    // own.
    assert_eq!(plain_without(&cache, &source, 7).await, Ok(1));
    cache.flush().await;
    sleep(ms(15)).await;
    source.commit();
    assert_eq!(plain(&cache, &source, 7).await, Ok(1));
    assert_eq!(source.loads(), 2);
}

#[redis_cached(key = "spawned:<id>", skip(cache, source), spawn, cache = cache)]
async fn spawned(cache: &Cache, source: &Source, id: u64) -> Result<u64, String> {
    source.read(ms(100)).await
}

#[tokio::test]
async fn an_impatient_caller_does_not_keep_the_cache_empty() {
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    let source = Source::default();
    // The connection is made first, so that the load has begun when the caller goes away.
    spawned(&cache, &source, 0).await.unwrap();
    let impatient = tokio::time::timeout(ms(20), spawned(&cache, &source, 1)).await;
    assert!(impatient.is_err());
    eventually("it is stored", async || server.send::<u64>(&[b"STRLEN", b"cache:k:spawned:1"]).await > 17).await;
    assert_eq!(spawned(&cache, &source, 1).await, Ok(0));
    assert_eq!(source.loads(), 2);
}

#[redis_cached(
    key = "bridged:<id>",
    skip(cache, source),
    ttl = "10ms",
    jitter = 0.0,
    stale_if_error = "1m",
    cache = cache
)]
async fn bridged(cache: &Cache, source: &Source, id: u64) -> Result<u64, String> {
    source.read(ms(0)).await
}

#[tokio::test]
async fn an_invalidated_value_is_no_bridge() {
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    let source = Source::default();
    bridged(&cache, &source, 1).await.unwrap();
    cache.flush().await;
    sleep(ms(15)).await;
    source.goes_down();
    assert_eq!(bridged(&cache, &source, 1).await, Ok(0));
    cache.entry("bridged:1").remove().await.unwrap();
    assert!(bridged(&cache, &source, 1).await.is_err());
}
