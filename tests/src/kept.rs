//! Rows that are read through a near cache, in each of the ways to keep them.

use cached_core::{Cache, CacheEvent, Invalidation, Outcome, SiteStats, redis_cached};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A kept row has changed.
#[derive(Debug, Clone, Copy, CacheEvent)]
pub struct KeptChanged {
    /// Which row.
    pub id: u64,
}

/// A version of a row, as it is cached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The row's version.
    pub version: u64,
}

/// The database: a version per row, that only grows.
#[derive(Debug)]
pub struct KeptRows {
    versions: Vec<AtomicU64>,
    loads: AtomicU64,
}

#[redis_cached(key = "shared:<id>", local = "30s", skip(rows))]
async fn shared(rows: &KeptRows, id: u64) -> Arc<Kept> {
    Arc::new(rows.load(id))
}

#[redis_cached(key = "cloned:<id>", local = "30s", skip(rows))]
async fn cloned(rows: &KeptRows, id: u64) -> Kept {
    rows.load(id)
}

#[redis_cached(
    key = "tagged:<id>",
    local = "30s",
    tags = ["kept:<id>"],
    invalidate_on = KeptChanged { id },
    skip(rows)
)]
async fn tagged(rows: &KeptRows, id: u64) -> Arc<Kept> {
    Arc::new(rows.load(id))
}

#[redis_cached(key = "named:<id>", local = "30s", tags = |row: &Kept| [format!("named:{}", row.version / 1_000_000)], skip(rows))]
async fn named(rows: &KeptRows, id: u64) -> Kept {
    rows.load(id)
}

#[redis_cached(key = "bridged:<id>", local = "1s", on_gap = "serve", skip(rows))]
async fn bridged(rows: &KeptRows, id: u64) -> Arc<Kept> {
    Arc::new(rows.load(id))
}

#[redis_cached(key = "brief:<id>", ttl = ttl, jitter = 0, local = "30s", skip(rows, ttl))]
async fn brief(rows: &KeptRows, id: u64, ttl: Duration) -> Arc<Kept> {
    Arc::new(rows.load(id))
}

/// A function that keeps rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// An `Arc`.
    Shared,
    /// A clone.
    Cloned,
    /// With a tag and an event.
    Tagged,
    /// With a tag that only the value names.
    Named,
    /// `on_gap = "serve"`, for a second.
    Bridged,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Shared, Self::Cloned, Self::Tagged, Self::Named, Self::Bridged];

    /// The name of its function, and the first word of its keys.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Cloned => "cloned",
            Self::Tagged => "tagged",
            Self::Named => "named",
            Self::Bridged => "bridged",
        }
    }

    /// The key of a row's entry, as a user writes it.
    #[must_use]
    pub fn key(self, id: u64) -> String {
        format!("{}:{id}", self.name())
    }

    /// The key of a row's entry, as it stands in Redis.
    #[must_use]
    pub fn redis_key(self, id: u64) -> String {
        format!("cache:k:{}", self.key(id))
    }

    /// The statistics of its function in this cache.
    ///
    /// # Panics
    /// When it was not called yet.
    #[must_use]
    pub fn stats(self, cache: &Cache) -> SiteStats {
        cache.stats().site(self.name()).expect("it was called").clone()
    }

    /// Calls that the near cache has answered so far.
    #[must_use]
    pub fn near_hits(self, cache: &Cache) -> u64 {
        self.stats(cache).near_hits
    }
}

impl KeptRows {
    /// This number of rows, at version 0.
    #[must_use]
    pub fn new(rows: usize) -> Self {
        Self { versions: (0..rows).map(|_| AtomicU64::new(0)).collect(), loads: AtomicU64::new(0) }
    }

    fn row(&self, id: u64) -> &AtomicU64 {
        &self.versions[usize::try_from(id).expect("a small number")]
    }

    fn load(&self, id: u64) -> Kept {
        self.loads.fetch_add(1, Ordering::SeqCst);
        Kept { version: self.now(id) }
    }

    /// Loads so far.
    #[must_use]
    pub fn loads(&self) -> u64 {
        self.loads.load(Ordering::SeqCst)
    }

    /// The version in the database.
    #[must_use]
    pub fn now(&self, id: u64) -> u64 {
        self.row(id).load(Ordering::SeqCst)
    }

    /// Commits the next version.
    pub fn commit(&self, id: u64) -> u64 {
        self.row(id).fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Commits the next version and invalidates all entries of the row by their keys.
    pub async fn write(&self, cache: &Cache, id: u64) -> Outcome {
        self.commit(id);
        let all = Way::ALL.iter().fold(Invalidation::new(), |all, way| all.key(way.key(id)));
        cache.invalidate(all).await
    }

    /// Reads a row through a cache.
    pub async fn read(&self, cache: &Cache, way: Way, id: u64) -> u64 {
        cache
            .scope(async {
                match way {
                    Way::Shared => shared(self, id).await.version,
                    Way::Cloned => cloned(self, id).await.version,
                    Way::Tagged => tagged(self, id).await.version,
                    Way::Named => named(self, id).await.version,
                    Way::Bridged => bridged(self, id).await.version,
                }
            })
            .await
    }

    /// The value itself, shared.
    pub async fn read_shared(&self, cache: &Cache, id: u64) -> Arc<Kept> {
        cache.scope(shared(self, id)).await
    }

    /// Reads a row whose entry has this time to live.
    pub async fn read_brief(&self, cache: &Cache, id: u64, ttl: Duration) -> u64 {
        cache.scope(brief(self, id, ttl)).await.version
    }

    /// Reads a row until the near cache answers.
    ///
    /// # Panics
    /// When it does not within ten seconds.
    pub async fn warm(&self, cache: &Cache, way: Way, id: u64) {
        crate::eventually("the near cache answers", async || {
            self.read(cache, way, id).await;
            cache.flush().await;
            let before = way.near_hits(cache);
            self.read(cache, way, id).await;
            way.near_hits(cache) > before
        })
        .await;
    }
}
