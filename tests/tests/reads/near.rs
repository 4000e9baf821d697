//! The near cache: a kept value is served without a read of the store, and never after it has changed.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::store::{MemoryStore, RedisStore, Store};
use cached_core::{Cache, CacheBuilder, Clock, DropReason, Invalidation, Outcome, redis_cached};
use std::sync::Arc;
use std::time::Duration;
use tests::{KeptChanged, KeptRows, RedisServer, Way, eventually};

mod nested;
mod runtimes;
mod servers;

/// Two caches side by side, like two processes, on a store that both see.
struct Subject {
    here: Cache,
    there: Cache,
    rows: KeptRows,
    server: Option<RedisServer>,
    clock: Option<Clock>,
}

fn patient() -> CacheBuilder {
    Cache::builder().namespace("cache").budget(Duration::from_secs(2)).near_heartbeat(Duration::from_secs(1))
}

impl Subject {
    fn memory() -> Self {
        let clock = Clock::manual();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(1 << 24, clock.clone()));
        let cache = || patient().clock(clock.clone()).store(Arc::clone(&store)).build().unwrap();
        Self { here: cache(), there: cache(), rows: KeptRows::new(256), server: None, clock: Some(clock) }
    }

    fn redis() -> Self {
        Self::on(RedisServer::start())
    }

    fn on(server: RedisServer) -> Self {
        let cache = || patient().redis(server.url()).build().unwrap();
        Self { here: cache(), there: cache(), rows: KeptRows::new(256), server: Some(server), clock: None }
    }

    fn server(&self) -> &RedisServer {
        self.server.as_ref().expect("it is on a server")
    }

    async fn read(&self, way: Way, id: u64) -> u64 {
        self.rows.read(&self.here, way, id).await
    }

    /// Waits until the change is seen here, as long as announcements are on their way.
    async fn sees(&self, way: Way, id: u64, what: &str) {
        eventually(what, async || self.read(way, id).await == self.rows.now(id)).await;
    }
}

macro_rules! on_every_store {
    ($($name:ident)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::near::Subject::memory()).await;
            })*
        }
        mod redis {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::near::Subject::redis()).await;
            })*
        }
    };
}

async fn kept_values_are_served_without_the_store(on: Subject) {
    for way in Way::ALL {
        on.rows.warm(&on.here, way, 1).await;
        let (loads, before) = (on.rows.loads(), way.stats(&on.here));
        for _ in 0..100 {
            assert_eq!(on.read(way, 1).await, 0);
        }
        let after = way.stats(&on.here);
        assert_eq!((after.near_hits, after.hits), (before.near_hits + 100, before.hits), "{way:?}");
        assert_eq!(on.rows.loads(), loads);
    }
    let first = on.rows.read_shared(&on.here, 1).await;
    assert!(Arc::ptr_eq(&first, &on.rows.read_shared(&on.here, 1).await), "it is given out without a copy");
    assert!(on.here.stats().near.unwrap().coherent);
}

async fn a_write_of_another_is_seen(on: Subject) {
    for way in Way::ALL {
        for id in 0..20 {
            on.rows.warm(&on.here, way, id).await;
            assert_eq!(on.rows.write(&on.there, id).await, Outcome::Applied);
            on.sees(way, id, "another's write is seen").await;
            on.rows.warm(&on.here, way, id).await;
        }
    }
}

async fn a_tag_of_another_is_seen(on: Subject) {
    for round in 0..20 {
        on.rows.warm(&on.here, Way::Tagged, 1).await;
        on.rows.warm(&on.here, Way::Tagged, 2).await;
        on.rows.commit(1);
        if round % 2 == 0 {
            assert_eq!(on.there.invalidate(Invalidation::new().tag("kept:1")).await, Outcome::Applied);
        } else {
            assert_eq!(on.there.emit(&KeptChanged { id: 1 }).await, Outcome::Applied);
        }
        on.sees(Way::Tagged, 1, "the tag's change is seen").await;
        on.rows.warm(&on.here, Way::Named, 3).await;
        on.rows.commit(3);
        assert_eq!(on.there.invalidate(Invalidation::new().tag("named:0")).await, Outcome::Applied);
        on.sees(Way::Named, 3, "the change of a tag that only the value tells is seen").await;
    }
}

async fn a_write_of_ones_own_is_seen_at_once(on: Subject) {
    for way in Way::ALL {
        for id in 0..20 {
            on.rows.warm(&on.here, way, id).await;
            assert_eq!(on.rows.write(&on.here, id).await, Outcome::Applied);
            assert_eq!(on.read(way, id).await, on.rows.now(id), "{way:?}");
        }
    }
    for id in 0..20 {
        on.rows.warm(&on.here, Way::Tagged, id).await;
        on.rows.commit(id);
        assert_eq!(on.here.emit(&KeptChanged { id }).await, Outcome::Applied);
        assert_eq!(on.read(Way::Tagged, id).await, on.rows.now(id));
    }
    on.rows.warm(&on.here, Way::Shared, 1).await;
    on.rows.commit(1);
    on.here.entry(Way::Shared.key(1)).remove().await.unwrap();
    assert_eq!(on.read(Way::Shared, 1).await, on.rows.now(1));
}

async fn a_namespace_that_is_cleared_is_seen(on: Subject) {
    for (way, clearer) in [(Way::Shared, &on.there), (Way::Cloned, &on.here)] {
        on.rows.warm(&on.here, way, 1).await;
        on.rows.commit(1);
        clearer.clear().await.unwrap();
        on.sees(way, 1, "the clearing is seen").await;
    }
}

async fn a_value_is_not_kept_for_longer_than_it_lives(on: Subject) {
    let ttl = Duration::from_millis(300);
    let brief = |cache: &Cache| cache.stats().site("brief").unwrap().near_hits;
    for _ in 0..5 {
        // Nothing announces this write, so only the time of the value ends it.
        let version = on.rows.commit(1);
        if let Some(clock) = &on.clock {
            clock.advance(ttl);
        }
        eventually("the entry is over", async || on.rows.read_brief(&on.here, 1, ttl).await == version).await;
        on.here.flush().await;
        // Read from the store, and kept for the rest of its time.
        eventually("it is kept", async || {
            on.rows.read_brief(&on.here, 1, ttl).await;
            let before = brief(&on.here);
            on.rows.read_brief(&on.here, 1, ttl).await;
            on.here.flush().await;
            brief(&on.here) > before
        })
        .await;
    }
}

async fn near_statistics_count_what_happened(on: Subject) {
    for id in 1..=3 {
        on.rows.warm(&on.here, Way::Shared, id).await;
    }
    let near = || on.here.stats().near.unwrap();
    let (stats, drops) = (near(), |reason| near().drops.get(&reason).copied().unwrap_or_default());
    assert!(stats.coherent && stats.drops.is_empty(), "{stats:?}");
    assert_eq!((stats.entries, stats.capacity), (3, 32 << 20));
    assert!(stats.bytes > 3 * 192 && stats.bytes < 3 * 512, "{stats:?}");
    on.there.entry(Way::Shared.key(1)).remove().await.unwrap();
    on.here.entry(Way::Shared.key(2)).remove().await.unwrap();
    // A changed value is dropped when a call asks for it.
    eventually("both are dropped", async || {
        on.read(Way::Shared, 1).await;
        on.read(Way::Shared, 2).await;
        drops(DropReason::Changed) == 2
    })
    .await;
    on.here.flush().await;
    on.rows.warm(&on.here, Way::Shared, 1).await;
    on.rows.warm(&on.here, Way::Shared, 2).await;
    assert_eq!(near().entries, 3);
    on.here.clear().await.unwrap();
    eventually("all are dropped", async || near().entries == 0).await;
    assert_eq!(near().bytes, 0);
    assert!(drops(DropReason::Cleared) >= 3);
    assert!(near().drops.values().sum::<u64>() >= 5, "{:?}", near());
    assert!(near().coherent);
}

async fn caches_on_one_store_do_not_share_what_they_keep(on: Subject) {
    on.rows.warm(&on.here, Way::Shared, 1).await;
    on.rows.warm(&on.there, Way::Shared, 1).await;
    for (writer, reader) in [(&on.here, &on.there), (&on.there, &on.here)] {
        assert_eq!(on.rows.write(writer, 1).await, Outcome::Applied);
        assert_eq!(on.rows.read(writer, Way::Shared, 1).await, on.rows.now(1));
        eventually("the other sees it", async || on.rows.read(reader, Way::Shared, 1).await == on.rows.now(1)).await;
        on.rows.warm(&on.here, Way::Shared, 1).await;
        on.rows.warm(&on.there, Way::Shared, 1).await;
    }
    // When one cache goes, the other continues to keep values.
    drop(on.there);
    assert_eq!(on.rows.write(&on.here, 1).await, Outcome::Applied);
    on.rows.warm(&on.here, Way::Shared, 1).await;
}

trait Region {
    const NUMBER: u64;
}

struct North;
struct South;

impl Region for North {
    const NUMBER: u64 = 1;
}

impl Region for South {
    const NUMBER: u64 = 2;
}

#[redis_cached(key = "region:<id>", local = "30s")]
async fn in_region<R: Region>(id: u64) -> u64 {
    100 * R::NUMBER + id
}

/// Both mean one key in the store, where one stands beside the other; only the entry under the key is kept.
async fn generic_arguments_are_kept_apart(on: Subject) {
    on.here
        .scope(async {
            eventually("something is kept", async || {
                for _ in 0..3 {
                    assert_eq!(in_region::<North>(7).await, 107);
                    on.here.flush().await;
                }
                assert_eq!(in_region::<South>(7).await, 207);
                on.here.stats().site("in_region").unwrap().near_hits > 0
            })
            .await;
        })
        .await;
}

#[redis_cached(key = "nobody:<id>", local = "30s")]
async fn nobody(id: u64) -> Option<u64> {
    let _ = id;
    None
}

async fn an_absent_value_is_kept(on: Subject) {
    on.here
        .scope(async {
            eventually("it is kept", async || {
                assert_eq!(nobody(1).await, None);
                on.here.flush().await;
                on.here.stats().site("nobody").unwrap().near_hits > 0
            })
            .await;
            let before = on.here.stats().site("nobody").unwrap().clone();
            assert_eq!(nobody(1).await, None);
            let after = on.here.stats().site("nobody").unwrap().clone();
            assert_eq!((after.near_hits, after.hits), (before.near_hits + 1, before.hits));
        })
        .await;
}

on_every_store! {
    kept_values_are_served_without_the_store
    a_write_of_another_is_seen
    a_tag_of_another_is_seen
    a_write_of_ones_own_is_seen_at_once
    a_namespace_that_is_cleared_is_seen
    a_value_is_not_kept_for_longer_than_it_lives
    near_statistics_count_what_happened
    caches_on_one_store_do_not_share_what_they_keep
    generic_arguments_are_kept_apart
    an_absent_value_is_kept
}

/// An entry beside another build's depends on that build's, and its changes are announced too.
#[tokio::test]
async fn what_stands_beside_another_builds_entry_is_kept_and_what_the_other_writes_is_seen() {
    let mut on = Subject::redis();
    let older = on.there;
    on.there = patient().redis(on.server.as_ref().unwrap().url()).version(2).build().unwrap();
    on.here = patient().redis(on.server.as_ref().unwrap().url()).version(2).build().unwrap();
    for way in Way::ALL {
        for round in 0..5 {
            on.rows.read(&older, way, 1).await;
            older.flush().await;
            on.rows.warm(&on.here, way, 1).await;
            let base: bool = on.server().send(&[b"EXISTS", way.redis_key(1).as_bytes()]).await;
            let entries: Vec<String> = on.server().send(&[b"KEYS", format!("*{}*", way.key(1)).as_bytes()]).await;
            assert!(base && entries.len() == 2, "{way:?}: {entries:?}");
            let writer = if round % 2 == 0 { &older } else { &on.there };
            assert_eq!(on.rows.write(writer, 1).await, Outcome::Applied);
            on.sees(way, 1, "another build's write is seen").await;
            on.here.flush().await;
            assert_eq!(on.rows.write(&on.here, 1).await, Outcome::Applied);
            assert_eq!(on.read(way, 1).await, on.rows.now(1), "{way:?}: a write of one's own is seen at once");
            on.here.flush().await;
            assert_eq!(on.rows.write(&on.here, 1).await, Outcome::Applied, "the next entry is the older build's");
        }
    }
}

#[tokio::test]
async fn two_caches_on_one_redis_store() {
    let mut on = Subject::redis();
    let store: Arc<dyn Store> = Arc::new(RedisStore::new(&on.server().url()).unwrap());
    let cache = || patient().store(Arc::clone(&store)).build().unwrap();
    (on.here, on.there) = (cache(), cache());
    caches_on_one_store_do_not_share_what_they_keep(on).await;
}

/// A function of a cache without a near cache is not served by another cache's.
#[tokio::test]
async fn a_function_without_local_keeps_nothing() {
    let on = Subject::redis();
    let load = async || Ok::<_, ()>(1u64);
    for _ in 0..5 {
        on.here.entry("k").get_or_load(load).await.unwrap();
        on.here.flush().await;
    }
    assert!(on.here.stats().near.is_none());
    let clients: String = on.server().send(&[b"CLIENT", b"LIST"]).await;
    assert!(!clients.contains("flags=t"), "nobody asked to be told of changes: {clients}");
}
