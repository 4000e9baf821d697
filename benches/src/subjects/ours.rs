//! cached-core, with the builder's defaults.

use super::{OURS, Subject};
use crate::user::{User, load};
use cached_core::{BreakerState, Cache, redis_cached};
use std::time::Duration;

#[redis_cached(key = "user:<id>", ttl = "medium")]
async fn find_user(id: u64) -> User {
    load(id).await
}

#[derive(Debug, Clone)]
pub(crate) struct Ours {
    cache: Cache,
}

impl Ours {
    /// Also makes the cache the process's default, which the annotated function uses.
    pub(crate) async fn connect(url: &str) -> Self {
        let cache = Cache::builder().namespace("bench").redis(url).build().expect("the defaults are sound");
        // The connection is made on first use.
        let _: Option<String> = cache.entry("warm").get().await;
        cache.install();
        Self { cache }
    }

    /// Like [`connect`](Self::connect), but in this process's memory.
    pub(crate) fn memory() -> Self {
        let cache = Cache::memory();
        cache.install();
        Self { cache }
    }

    pub(crate) fn cache(&self) -> Cache {
        self.cache.clone()
    }

    /// Waits until the cache uses its store again.
    pub(crate) async fn recovered(&self) {
        while self.cache.stats().breaker != BreakerState::Closed {
            self.find(0).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.settled().await;
    }
}

impl Subject for Ours {
    const NAME: &'static str = OURS;

    fn find(&self, id: u64) -> impl Future<Output = User> + Send {
        find_user(id)
    }

    async fn settled(&self) {
        self.cache.flush().await;
    }
}
