//! A row in a database that counts commits, and the ways to read and write it through a cache.

use super::desk::{Command, Desk, Process};
use super::gate::{FOR_EVER, Gate};
use cached_core::store::RedisStore;
use cached_core::{Cache, Clock, Invalidation, Options, Outcome, StoreError, redis_cached, redis_put};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tests::model::{Plan, Tags, Way};

/// The keys of the model's registers.
pub(crate) const ENTRY: &str = "cache:k:row";
pub(crate) const TAG: &str = "cache:t:table";
pub(crate) const NAMESPACE: &str = "cache:t";
pub(crate) const REFRESH_LEASE: &str = "cache:r:row";

/// How the readers' function is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// `Cache::get_or_set`, with the tag among its options if there is one.
    ByHand(Tags),
    /// `#[redis_cached]`.
    Annotated(Tags),
    /// The same, with a value that is past its end after a second and is served if a load fails.
    PastItsEnd,
}

/// The row, as one process knows it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) cache: Cache,
    pub(crate) version: Arc<AtomicU64>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) process: Process,
}

impl Row {
    pub(crate) fn of(
        process: Process,
        url: &str,
        version: &Arc<AtomicU64>,
        desk: &Arc<Desk>,
        clock: &Clock,
        marker: Duration,
    ) -> Self {
        let store = Arc::new(RedisStore::new(url).expect("a sound URL"));
        let gate = Gate { store, desk: Arc::clone(desk), process };
        let cache =
            Cache::builder().namespace("cache").store(Arc::new(gate)).lease(FOR_EVER).marker(marker).max_wait(FOR_EVER);
        let cache = cache.clock(clock.clone()).budget(Duration::from_secs(60)).build().expect("sound settings");
        Self { cache, version: Arc::clone(version), desk: Arc::clone(desk), process }
    }

    pub(crate) async fn read(self, reading: Reading) -> Result<u64, StoreError> {
        let options = |tags| if tags == Tags::Known { Options::new().tag("table") } else { Options::new() };
        match reading {
            Reading::ByHand(tags) => self.cache.get_or_set("row", options(tags), || self.select()).await,
            Reading::Annotated(Tags::None) => self.untagged().await,
            Reading::Annotated(Tags::Known) => self.tagged().await,
            Reading::Annotated(Tags::FromValue) => self.named().await,
            Reading::PastItsEnd => self.bridged().await,
        }
    }

    /// The result of the write, and its outcome.
    pub(crate) async fn write(self, plan: Plan, tags: Tags) -> (Result<u64, StoreError>, Outcome) {
        let what = || {
            let what = Invalidation::new();
            let what = if plan.entry { what.key("row") } else { what };
            if plan.tag { what.tag("table") } else { what }
        };
        match plan.way {
            Way::Plain => {
                let version = self.commit().await;
                (version, self.cache.invalidate(what()).await)
            }
            Way::DoubleDelete => {
                let _ = self.cache.invalidate(what()).await;
                let version = self.commit().await;
                (version, self.cache.invalidate(what()).await)
            }
            Way::Bracket => self.cache.write(what(), self.commit()).await,
            Way::Put => {
                let version = match tags {
                    Tags::None => self.put().await,
                    Tags::Known => self.put_tagged().await,
                    Tags::FromValue => self.put_named().await,
                };
                // END does not fail in a replay; if it did, the invalidation would be queued.
                let outcome = if self.cache.stats().pending == 0 { Outcome::Applied } else { Outcome::Queued };
                (version, outcome)
            }
        }
    }

    async fn select(&self) -> Result<u64, StoreError> {
        let read = async { Ok(self.version.load(Ordering::SeqCst)) };
        self.desk.pass(self.process, Command::Select, read).await
    }

    async fn commit(&self) -> Result<u64, StoreError> {
        let write = async { Ok(self.version.fetch_add(1, Ordering::SeqCst) + 1) };
        self.desk.pass(self.process, Command::Commit, write).await
    }

    #[redis_cached(key = "row", cache = self.cache)]
    async fn untagged(&self) -> Result<u64, StoreError> {
        self.select().await
    }

    #[redis_cached(key = "row", tags = ["table"], cache = self.cache)]
    async fn tagged(&self) -> Result<u64, StoreError> {
        self.select().await
    }

    #[redis_cached(key = "row", tags = |_: &u64| ["table"], cache = self.cache)]
    async fn named(&self) -> Result<u64, StoreError> {
        self.select().await
    }

    #[redis_cached(key = "row", ttl = "1s", jitter = 0.0, stale_if_error = "1h", cache = self.cache)]
    async fn bridged(&self) -> Result<u64, StoreError> {
        self.select().await
    }

    #[redis_put(key = "row", cache = self.cache)]
    async fn put(&self) -> Result<u64, StoreError> {
        self.commit().await
    }

    #[redis_put(key = "row", tags = ["table"], cache = self.cache)]
    async fn put_tagged(&self) -> Result<u64, StoreError> {
        self.commit().await
    }

    #[redis_put(key = "row", tags = |_: &u64| ["table"], cache = self.cache)]
    async fn put_named(&self) -> Result<u64, StoreError> {
        self.commit().await
    }
}
