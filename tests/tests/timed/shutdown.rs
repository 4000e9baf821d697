//! The end of a cache on a real server: everything is done and closed, or it ends in time and says what is left.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::store::RedisStore;
use cached_core::{Cache, CacheBuilder, Invalidation, Outcome, redis_cached};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::{RedisServer, eventually, lateness_of, patient_cache};
use tokio::sync::Semaphore;

const WITHIN: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(60);
/// The time that timers may add, beside their measured lateness.
const SLACK: Duration = Duration::from_millis(60);

#[redis_cached(key = "shutdown-near:<n>", local = "60s")]
async fn near(n: u64) -> Arc<u64> {
    Arc::new(n)
}

fn builder() -> CacheBuilder {
    Cache::builder().namespace("cache").budget(Duration::from_secs(5))
}

async fn load(cache: &Cache, key: &str, value: u64) -> u64 {
    cache.entry(key).get_or_load(async || Ok::<_, ()>(value)).await.unwrap()
}

/// The connections of other clients than the one that asks.
async fn connections(server: &RedisServer) -> usize {
    let clients: String = server.send(&[b"CLIENT", b"LIST"]).await;
    clients.lines().filter(|line| !line.contains("cmd=client|list")).count()
}

async fn are_closed(server: &RedisServer) {
    eventually("the connections are closed", async || connections(server).await == 0).await;
}

#[tokio::test]
async fn what_is_on_its_way_arrives_and_connections_and_tasks_end() {
    let server = RedisServer::start();
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let cache = builder().redis(server.url()).build().unwrap();
    cache.scope(near(1)).await;
    cache.flush().await;
    eventually("there is a near hit", async || {
        cache.scope(near(1)).await;
        cache.stats().site("near").unwrap().near_hits > 0
    })
    .await;
    // A removal is repeated for a minute, by a task that keeps the connection up.
    assert_eq!(cache.invalidate(Invalidation::new().key("old")).await, Outcome::Applied);
    for n in 0..100 {
        load(&cache, &format!("k{n}"), n).await;
    }
    assert!(connections(&server).await >= 2 && tasks() > 0);
    let unfinished = cache.shutdown(LONG).await;
    assert!(unfinished.is_empty(), "{unfinished}");
    are_closed(&server).await;
    eventually("the tasks have ended", async || tasks() == 0).await;

    let other = patient_cache(&server.url());
    for n in 0..100 {
        assert_eq!(load(&other, &format!("k{n}"), 1_000).await, n, "it was stored");
    }
    assert!(other.shutdown(LONG).await.is_empty());
    assert_eq!(*cache.scope(near(1)).await, 1);
    assert_eq!(load(&cache, "k1", 7).await, 7, "it runs uncached");
    assert_eq!(connections(&server).await, 0, "and asks nobody");
}

/// What other processes hold must not survive a write, even if it comes late.
#[tokio::test]
async fn a_write_after_the_end_invalidates_all_the_same() {
    let server = RedisServer::start();
    let (cache, other) = (builder().redis(server.url()).build().unwrap(), patient_cache(&server.url()));
    load(&other, "row", 1).await;
    other.flush().await;
    assert!(cache.shutdown(LONG).await.is_empty());
    assert_eq!(cache.invalidate(Invalidation::new().key("row")).await, Outcome::Applied);
    assert_eq!(load(&other, "row", 2).await, 2);
    // It has opened a connection again.
    assert!(cache.shutdown(LONG).await.is_empty() && other.shutdown(LONG).await.is_empty());
    are_closed(&server).await;
}

#[tokio::test]
async fn a_frozen_server_does_not_hold_it_up() {
    let server = RedisServer::start();
    let cache = Cache::builder().namespace("cache").redis(server.url()).budget(LONG).build().unwrap();
    assert_eq!(load(&cache, "row", 1).await, 1);
    cache.flush().await;
    let (mut late_values, is_frozen) = (tokio::task::JoinSet::new(), Arc::new(Semaphore::new(0)));
    for n in 0..3 {
        let (cache, is_frozen) = (cache.clone(), Arc::clone(&is_frozen));
        late_values.spawn(async move {
            let load = async || is_frozen.acquire().await.map(|_| n).map_err(drop);
            cache.entry(format!("late:{n}")).get_or_load(load).await.unwrap()
        });
    }
    eventually("they have their leases", async || server.send::<u64>(&[b"DBSIZE"]).await == 4).await;
    server.freeze();
    is_frozen.add_permits(3);
    late_values.join_all().await;
    // A write that is given up is queued.
    for n in 0..5 {
        let write = cache.invalidate(Invalidation::new().key(format!("row:{n}")));
        tokio::time::timeout(Duration::from_millis(1), write).await.unwrap_err();
    }
    let began = Instant::now();
    let (unfinished, late) = lateness_of(cache.shutdown(WITHIN)).await;
    let took = began.elapsed();
    assert!(took < WITHIN + SLACK + late, "{took:?}, of which {late:?} are the machine's");
    assert_eq!((unfinished.values, unfinished.invalidations, unfinished.sweep), (3, 5, false), "{unfinished}");
    server.thaw();
}

#[tokio::test]
async fn a_server_that_comes_back_in_time_gets_everything() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "no"]);
    let cache = patient_cache(&server.url());
    load(&cache, "row", 1).await;
    cache.flush().await;
    server.kill();
    assert_eq!(cache.invalidate(Invalidation::new().key("row")).await, Outcome::Queued);
    let shutdown = tokio::spawn({
        let cache = cache.clone();
        async move { cache.shutdown(LONG).await }
    });
    tokio::task::yield_now().await;
    server.restart();
    let unfinished = shutdown.await.unwrap();
    assert!(unfinished.is_empty(), "{unfinished}");
    assert_eq!(load(&patient_cache(&server.url()), "row", 2).await, 2);
}

#[tokio::test]
async fn a_store_that_caches_share_stays_open_until_its_owner_closes_it() {
    let server = RedisServer::start();
    let store = Arc::new(RedisStore::new(&server.url()).unwrap());
    let share = || builder().store(store.clone()).build().unwrap();
    let (one, other) = (share(), share());
    load(&other, "row", 1).await;
    other.flush().await;
    assert!(one.shutdown(LONG).await.is_empty());
    assert_eq!(connections(&server).await, 1);
    assert_eq!(load(&other, "row", 2).await, 1);
    assert!(other.shutdown(LONG).await.is_empty());
    store.close();
    are_closed(&server).await;
}
