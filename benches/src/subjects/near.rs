//! Subjects that answer from this process's memory with a shared value: `Arc<User>`.
//!
//! The floor is the engine under our near cache, asked by number: there is no key to render, nothing can invalidate the
//! value, and it has no time to live.

use super::{FLOOR, OURS};
use crate::user::{User, load};
use cached::macros::concurrent_cached;
use cached_core::{Cache, redis_cached};
use hitbox::concurrency::BroadcastConcurrencyManager;
use hitbox::policy::{ConcurrencyLimit, PolicyConfig};
use hitbox_moka::MokaBackend;
use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const CAPACITY: u16 = 10_000;
/// Calls between two readings of the clock.
const STRETCH: u64 = 1_000;

/// A way to keep a value in this process.
pub(crate) trait NearSubject: Clone + Send + Sync + 'static {
    const NAME: &'static str;

    /// The value, loaded if it is not there.
    fn find(&self, id: u64) -> impl Future<Output = Arc<User>> + Send;
}

/// Nanoseconds per hit of this number of tasks, each over all keys, for this time.
pub(crate) async fn nanos<S: NearSubject>(subject: &S, first: u64, keys: u64, tasks: u64, time: Duration) -> f64 {
    let mut calling = JoinSet::new();
    for task in 0..tasks {
        let subject = subject.clone();
        calling.spawn(async move {
            // Each task has its own order. A task that follows another one would catch up, and then both would fight
            // over each value.
            let stride = if task == 0 { 1 } else { 3 };
            let (mut calls, mut id) = (0u64, task * keys / 2);
            let began = Instant::now();
            while began.elapsed() < time {
                for _ in 0..STRETCH {
                    black_box(subject.find(black_box(first + id % keys)).await);
                    id += stride;
                }
                calls += STRETCH;
            }
            began.elapsed().as_nanos() as f64 / calls as f64
        });
    }
    let each = calling.join_all().await;
    each.iter().sum::<f64>() / each.len() as f64
}

#[redis_cached(key = "near:<id>", ttl = "long", local = "10m")]
async fn find_user(id: u64) -> Arc<User> {
    Arc::new(load(id).await)
}

/// Ours, over Redis, whose server announces changes.
#[derive(Debug, Clone)]
pub(crate) struct OursNear {
    cache: Cache,
}

impl OursNear {
    /// Also makes the cache the process's default.
    pub(crate) fn connect(url: &str) -> Self {
        let cache = Cache::builder().namespace("near").redis(url).build().expect("the defaults are sound");
        cache.install();
        Self { cache }
    }

    /// The calls so far that the near cache did not answer.
    pub(crate) fn others(&self) -> u64 {
        self.cache.stats().site("find_user").map_or(0, |site| site.calls() - site.near_hits)
    }

    /// Waits until all keys are kept.
    pub(crate) async fn warm(&self, first: u64, keys: u64) {
        loop {
            let before = self.others();
            for id in first..first + keys {
                find_user(id).await;
            }
            self.cache.flush().await;
            if self.others() == before {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl NearSubject for OursNear {
    const NAME: &'static str = OURS;

    fn find(&self, id: u64) -> impl Future<Output = Arc<User>> + Send {
        find_user(id)
    }
}

/// `quick_cache` and nothing else.
#[derive(Clone)]
pub(crate) struct Bare(Arc<quick_cache::sync::Cache<u64, Arc<User>>>);

impl Bare {
    pub(crate) fn new() -> Self {
        Self(Arc::new(quick_cache::sync::Cache::new(usize::from(CAPACITY))))
    }
}

impl NearSubject for Bare {
    const NAME: &'static str = FLOOR;

    async fn find(&self, id: u64) -> Arc<User> {
        if let Some(user) = self.0.get(&id) {
            return user;
        }
        let user = Arc::new(load(id).await);
        self.0.insert(id, Arc::clone(&user));
        user
    }
}

/// `moka::future`.
#[derive(Clone)]
pub(crate) struct Moka(moka::future::Cache<u64, Arc<User>>);

impl Moka {
    pub(crate) fn new() -> Self {
        Self(moka::future::Cache::new(u64::from(CAPACITY)))
    }
}

impl NearSubject for Moka {
    const NAME: &'static str = "moka";

    async fn find(&self, id: u64) -> Arc<User> {
        self.0.get_with(id, async { Arc::new(load(id).await) }).await
    }
}

#[concurrent_cached(max_size = 10_000)]
async fn find_sharded(id: u64) -> Arc<User> {
    Arc::new(load(id).await)
}

/// The crate `cached`, in memory: its sharded store.
#[derive(Debug, Clone)]
pub(crate) struct Sharded;

impl NearSubject for Sharded {
    const NAME: &'static str = "cached";

    fn find(&self, id: u64) -> impl Future<Output = Arc<User>> + Send {
        find_sharded(id)
    }
}

type Found = Result<User, Infallible>;

#[hitbox_fn::cached(prefix = "user")]
async fn find_boxed(id: u64) -> Found {
    Ok(load(id).await)
}

/// `hitbox-fn` over `hitbox-moka`, which keeps values as bytes and has no `Arc` to give.
#[derive(Clone)]
pub(crate) struct HitboxMoka(hitbox_fn::Cache<MokaBackend, BroadcastConcurrencyManager<Found>>);

impl HitboxMoka {
    pub(crate) fn new() -> Self {
        let backend = MokaBackend::builder().max_entries(u64::from(CAPACITY)).build();
        let one_load = ConcurrencyLimit::new(1).expect("1 is in its range");
        let policy = PolicyConfig::builder().ttl(Duration::from_secs(600)).concurrency(one_load).build();
        let manager = BroadcastConcurrencyManager::new();
        Self(hitbox_fn::Cache::builder().backend(backend).policy(policy).concurrency_manager(manager).build())
    }
}

impl NearSubject for HitboxMoka {
    const NAME: &'static str = "hitbox";

    async fn find(&self, id: u64) -> Arc<User> {
        Arc::new(find_boxed(id).cache(&self.0).await.expect("it cannot fail"))
    }
}
