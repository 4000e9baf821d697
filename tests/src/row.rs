//! A row that is read through caches, and reads of it that a test holds open.

use cached_core::{ByHand, Cache, CacheEvent, Entry, Invalidation, Untyped};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The row has changed.
#[derive(Debug, Clone, Copy, CacheEvent)]
pub struct RowChanged {
    /// Which row.
    pub id: u64,
}

/// A cache on the server, with enough time for a slow machine: its tests are about order, not time.
///
/// # Panics
/// When the settings are invalid.
#[must_use]
pub fn patient_cache(url: &str) -> Cache {
    let marker = Duration::from_secs(60);
    Cache::builder()
        .namespace("cache")
        .redis(url)
        .budget(Duration::from_secs(5))
        .write_marker_ttl(marker)
        .build()
        .expect("sound settings")
}

/// A row of the database: a version that only grows. Its entry depends on a tag and on an event of its own.
#[derive(Debug, Default)]
pub struct Row {
    id: u64,
    version: AtomicU64,
}

impl Row {
    /// A row at version 0.
    #[must_use]
    pub fn new(id: u64) -> Arc<Self> {
        Arc::new(Self { id, version: AtomicU64::new(0) })
    }

    /// The key of its entry.
    #[must_use]
    pub fn key(&self) -> String {
        format!("row:{}", self.id)
    }

    /// The tag of its entry.
    #[must_use]
    pub fn tag(&self) -> String {
        format!("group:{}", self.id)
    }

    /// The event that its entry listens to.
    #[must_use]
    pub fn event(&self) -> RowChanged {
        RowChanged { id: self.id }
    }

    /// The tag and the event that its entry depends on.
    pub fn entry(&self, cache: &Cache) -> Entry<Untyped, ByHand> {
        self.depending(cache.entry(self.key()))
    }

    /// The entry, which depends on the row.
    pub fn depending(&self, entry: Entry<Untyped, ByHand>) -> Entry<Untyped, ByHand> {
        entry.tag(self.tag()).invalidate_on(&self.event())
    }

    /// The ways to invalidate it: by key, by tag, by event.
    pub fn ways(&self) -> [Invalidation; 3] {
        [0, 1, 2].map(|n| self.way(n))
    }

    /// One of them, in turn.
    pub fn way(&self, n: u64) -> Invalidation {
        match n % 3 {
            0 => Invalidation::new().key(self.key()),
            1 => Invalidation::new().tag(self.tag()),
            _ => Invalidation::new().event(&self.event()),
        }
    }

    /// The version in the database.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    /// Commits the next version.
    pub fn commit(&self) -> u64 {
        self.version.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Reads it through the cache.
    ///
    /// # Panics
    /// Never: the load succeeds.
    pub async fn read(&self, cache: &Cache) -> u64 {
        let load = async || Ok::<_, ()>(self.now());
        self.entry(cache).get_or_load(load).await.expect("the load succeeds")
    }

    /// Reads it through the cache and waits until it is stored.
    pub async fn read_and_store(&self, cache: &Cache) -> u64 {
        let version = self.read(cache).await;
        cache.flush().await;
        version
    }

    /// Begins a read that must load, and returns when its load has read the database and waits.
    ///
    /// # Panics
    /// When the read does not load.
    pub async fn hold(self: &Arc<Self>, cache: &Cache) -> HeldRead {
        let (tell, has_read) = oneshot::channel();
        let (go_on, may_end) = oneshot::channel::<()>();
        let (row, cache) = (Arc::clone(self), cache.clone());
        let read = tokio::spawn(async move {
            let load = async || {
                let version = row.now();
                tell.send(()).expect("the test waits");
                may_end.await.expect("the test goes on");
                Ok::<_, ()>(version)
            };
            let version = row.entry(&cache).get_or_load(load).await.expect("the load succeeds");
            cache.flush().await;
            version
        });
        has_read.await.expect("it loads");
        HeldRead { read, go_on }
    }

    /// Begins a read in a task, and lets it come as far as it can.
    pub async fn begin_read(self: &Arc<Self>, cache: &Cache) -> JoinHandle<u64> {
        let (row, cache) = (Arc::clone(self), cache.clone());
        let read = tokio::spawn(async move { row.read(&cache).await });
        // On a runtime of one thread the task has its turn now.
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        read
    }
}

/// A read whose load has read the database and waits.
#[derive(Debug)]
#[must_use = "its load is cancelled when it is dropped"]
pub struct HeldRead {
    read: JoinHandle<u64>,
    go_on: oneshot::Sender<()>,
}

impl HeldRead {
    /// Lets the load end; when this returns, its value is stored, or never will be.
    ///
    /// # Panics
    /// When the read has panicked.
    pub async fn finish(self) -> u64 {
        self.go_on.send(()).expect("the load holds");
        self.read.await.expect("no panic")
    }
}
