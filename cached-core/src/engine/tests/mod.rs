//! The engine on paused time, with a store whose steps are planned. The package `tests` tests on real servers what
//! users are promised. These tests show, fast and to the millisecond, that each decision of the engine is the intended
//! one.

mod after_failure;
mod announced;
mod beside;
mod direct;
mod fills;
mod forced;
mod fresh;
mod hits;
mod logs;
mod nesting;
mod notified;
mod outages;
mod parts;
mod puts;
mod sharing;
mod shutdown;
mod sites;
mod tagged;
mod unusable;
mod waits;
mod ways;
mod writes;

use super::Engine;
use crate::cache::builder::CacheBuilder;
use crate::clock::Clock;
use crate::envelope::{self, Content, Draft, Head};
use crate::error::FaultKind;
use crate::fingerprint;
use crate::key::Key;
use crate::store::scripted::{Act, Scripted, Step};
use crate::store::{Acquire, Acquired, Get, Put, Remove, Store};
use crate::{ByHand, Cache, Entry, MissReason, SiteStats, UnstoredReason, Untyped};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const BUDGET: Duration = ms(100);
const AT_ONCE: Duration = Duration::ZERO;

/// A cache, its store and its clock. The clock is independent of the paused time of tokio.
#[derive(Debug, Clone)]
struct Subject {
    cache: Cache,
    store: Arc<Scripted>,
    clock: Clock,
}

impl Subject {
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    fn with(settings: impl FnOnce(CacheBuilder) -> CacheBuilder) -> Self {
        let clock = Clock::manual();
        let store = Scripted::new(clock.clone());
        let builder =
            Cache::builder().namespace("cache").store(Arc::clone(&store) as _).clock(clock.clone()).jitter(0.0);
        let cache = settings(builder.budget(BUDGET)).build().unwrap();
        Self { cache, store, clock }
    }

    fn engine(&self) -> &Arc<Engine> {
        self.cache.engine()
    }

    fn key(&self) -> Key {
        self.engine().settings.prefix.literal("k")
    }

    /// A call for "k" whose load takes `takes` and returns `value`. Returns what the call was given.
    async fn call(&self, value: u64, takes: Duration) -> u64 {
        self.try_call(Ok(value), takes).await.unwrap()
    }

    async fn try_call(&self, result: Result<u64, ()>, takes: Duration) -> Result<u64, ()> {
        let load = || async move {
            if takes > Duration::ZERO {
                sleep(takes).await;
            }
            result
        };
        self.cache.entry("k").get_or_load(load).await
    }

    /// Starts the call as a task that has run as far as it can without time passing.
    async fn calling(&self, result: Result<u64, ()>, takes: Duration) -> JoinHandle<Result<u64, ()>> {
        let subject = self.clone();
        let call = tokio::spawn(async move { subject.try_call(result, takes).await });
        tasks().await;
        call
    }

    fn stats(&self) -> SiteStats {
        self.stats_of("Cache::entry")
    }

    fn stats_of(&self, site: &str) -> SiteStats {
        self.cache.stats().site(site).expect("it was called").clone()
    }

    fn misses(&self) -> Vec<(MissReason, u64)> {
        self.stats().misses.into_iter().collect()
    }

    fn unstored(&self) -> Vec<(UnstoredReason, u64)> {
        self.stats().unstored.into_iter().collect()
    }

    /// The register under "k", read without a planned step.
    async fn register(&self) -> Option<Bytes> {
        self.store.memory.get(Get::new(&self.key(), BUDGET)).await.unwrap()
    }

    async fn plant(&self, register: &[u8]) {
        let register = Bytes::copy_from_slice(register);
        self.store.memory.put(Put::new(&self.key(), register, Duration::from_secs(60), BUDGET)).await.unwrap();
    }

    /// A lease as another process would hold it, of unknown purpose.
    async fn plant_lease(&self, id: u128, ttl: Duration) {
        let (memory, key) = (&self.store.memory, self.key());
        memory.remove(Remove::new(&key, BUDGET)).await.unwrap();
        let answer = memory.acquire(Acquire::new(&key, Head::lease(id << 16), ttl, BUDGET)).await;
        assert_eq!(answer.unwrap(), Acquired::Granted);
    }

    /// A sound register of a `u64`, as another process would store it with this payload.
    fn register_of(&self, payload: &[u8]) -> Bytes {
        let site = self.engine().site(&crate::site::by_hand::ENTRY);
        envelope::write(&Draft {
            key: &self.key(),
            head: Head::value(77),
            codec: 0,
            fingerprint: site.fingerprint::<u64>(""),
            content: Content::Value(payload),
            times: None,
            recorded: &crate::envelope::tags::TagRecord::NONE,
            compress_above: usize::MAX,
        })
    }

    /// Waits until the queue is empty, but not longer than `within`. Returns whether it is.
    async fn applied(&self, within: Duration) -> bool {
        tokio::time::timeout(within, self.engine().drained()).await.is_ok()
    }

    /// Opens the breaker by three calls that get no answer.
    async fn open_breaker(&self) {
        // Keeps the log line about a key that is used by hand from appearing.
        crate::hand::uses(crate::hand::Kind::Key, "another");
        for _ in 0..3 {
            self.store.plan(Step::Remove, [Act::Fails(FaultKind::Disconnected)]);
            self.cache.entry("another").remove().await.unwrap_err();
        }
        assert_eq!(self.engine().breaker(), crate::BreakerState::Open);
    }
}

/// Runs the tasks as far as they can go without time passing.
async fn tasks() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

async fn timed<T>(call: impl Future<Output = T>) -> (T, Duration) {
    let began = Instant::now();
    (call.await, began.elapsed())
}
