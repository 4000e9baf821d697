//! Invalidations by key, tag and event through the public API, on the memory store and on a Redis server.

use cached_core::{Cache, CacheEvent, Invalidation, KeySegment, MissReason, Options, Outcome};
use std::sync::atomic::{AtomicU64, Ordering};
use tests::RedisServer;

struct UserUpdated {
    id: u64,
}

impl CacheEvent for UserUpdated {
    const NAME: &'static str = "UserUpdated";
    const FIELDS: &'static [&'static str] = &["id"];

    fn with_segments<R>(&self, read: impl FnOnce(&[&dyn KeySegment]) -> R) -> R {
        read(&[&self.id])
    }
}

/// A row that is read through the cache.
struct Row {
    cache: Cache,
    value: AtomicU64,
}

impl Row {
    async fn read(&self, options: Options) -> u64 {
        let read = async || Ok::<_, ()>(self.value.load(Ordering::SeqCst));
        let value = self.cache.get_or_set("row", options, read).await.unwrap();
        self.cache.settled().await;
        value
    }
}

async fn every_way_to_invalidate(cache: Cache) {
    let row = Row { cache: cache.clone(), value: AtomicU64::new(0) };
    let options = || Options::new().tag("tenant:7").invalidate_on(&UserUpdated { id: 42 });
    let ways: [(&str, Invalidation); 3] = [
        ("key", Invalidation::new().key("row")),
        ("tag", Invalidation::new().tag("tenant:7")),
        ("event", (&UserUpdated { id: 42 }).into()),
    ];
    for (name, what) in ways {
        let before = row.read(options()).await;
        row.value.fetch_add(1, Ordering::SeqCst);
        assert_eq!(row.read(options()).await, before, "{name}: it is cached");
        assert_eq!(cache.get::<u64>("row").await, Some(before), "{name}: whoever reads it needs not know its tags");
        assert_eq!(
            cache.invalidate(Invalidation::new().tag("tenant:8").event(&UserUpdated { id: 43 })).await,
            Outcome::Applied
        );
        assert_eq!(row.read(options()).await, before, "{name}: others' invalidations are not about it");
        assert_eq!(cache.invalidate(what).await, Outcome::Applied);
        assert_eq!(cache.get::<u64>("row").await, None);
        assert_eq!(row.read(options()).await, before + 1, "{name}");
    }
    let stats = cache.stats();
    assert!(stats.site("Cache::get_or_set").unwrap().misses[&MissReason::Invalidated] >= 2, "{stats:#?}");
    assert_eq!(stats.site("Cache::invalidate").unwrap().applied, 6);
}

#[tokio::test]
async fn every_way_to_invalidate_in_memory() {
    every_way_to_invalidate(Cache::memory()).await;
}

#[tokio::test]
async fn every_way_to_invalidate_on_redis() {
    let server = RedisServer::start();
    every_way_to_invalidate(Cache::connect(server.url()).await.unwrap()).await;
}
