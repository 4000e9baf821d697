//! A row in a database that counts commits, and the ways to read and write it through a cache.

use super::desk::{Command, Desk, Process};
use super::foreign::Foreign;
use super::gate::{FOR_EVER, Gate};
use cached_core::{
    ByHand, Cache, CacheError, Clock, Entry, Invalidation, Outcome, StoreError, Untyped, entry, redis_cached, redis_put,
};
use serde::{Deserialize, Serialize};
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
    /// `Cache::entry`, with the tag among its options if there is one.
    ByHand(Tags),
    /// `#[redis_cached]`.
    Annotated(Tags),
    /// The same, with a value that is past its end after a second and is served if a load fails.
    PastItsEnd,
    /// `#[redis_cached]` of another build, whose values the others cannot read.
    OtherBuild,
}

/// The version, as another build stores it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stored {
    version: u64,
}

fn by_hand(cache: &Cache, tags: Tags) -> Entry<Untyped, ByHand> {
    let entry = cache.entry("row");
    if tags == Tags::Known { entry.tag("table") } else { entry }
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
        foreign: &Foreign,
        version: &Arc<AtomicU64>,
        desk: &Arc<Desk>,
        clock: &Clock,
        marker: Duration,
    ) -> Self {
        let (store, marks) = (foreign.connect(), Arc::clone(&foreign.marks));
        let gate = Gate { store, marks, desk: Arc::clone(desk), process };
        let cache = Cache::builder()
            .namespace("cache")
            .store(Arc::new(gate))
            .lease_ttl(FOR_EVER)
            .write_marker_ttl(marker)
            .max_wait(FOR_EVER);
        let cache = cache.clock(clock.clone()).budget(Duration::from_secs(60)).build().expect("sound settings");
        Self { cache, version: Arc::clone(version), desk: Arc::clone(desk), process }
    }

    pub(crate) async fn read(self, reading: Reading) -> Result<u64, StoreError> {
        match reading {
            Reading::ByHand(tags) => by_hand(&self.cache, tags).get_or_load(|| self.select()).await,
            Reading::Annotated(Tags::None) => self.untagged().await,
            Reading::Annotated(Tags::Known) => self.tagged().await,
            Reading::Annotated(Tags::FromValue) => self.named().await,
            Reading::PastItsEnd => self.bridged().await,
            Reading::OtherBuild => self.of_other_build().await.map(|stored| stored.version),
        }
    }

    /// Reads by force.
    pub(crate) async fn refresh(self, reading: Reading) -> Result<u64, StoreError> {
        cached_core::refresh(self.read(reading)).await
    }

    /// Sets the value by hand that a read of this kind would store.
    pub(crate) async fn set(self, reading: Reading, version: u64) -> Result<(), CacheError> {
        let entry = match reading {
            Reading::ByHand(tags) => return by_hand(&self.cache, tags).set(&version).await,
            Reading::Annotated(Tags::None) => entry!(self.untagged()),
            Reading::Annotated(Tags::Known) => entry!(self.tagged()),
            Reading::Annotated(Tags::FromValue) => entry!(self.named()),
            Reading::PastItsEnd => entry!(self.bridged()),
            Reading::OtherBuild => {
                return entry!(self.of_other_build()).expect("an entry").set(&Stored { version }).await;
            }
        };
        entry.expect("an entry").set(&version).await
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
            // Nobody is told, so nothing is promised.
            Way::Silent => (self.commit().await, Outcome::Queued),
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

    #[redis_cached(key = "row", cache = self.cache)]
    async fn of_other_build(&self) -> Result<Stored, StoreError> {
        self.select().await.map(|version| Stored { version })
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
