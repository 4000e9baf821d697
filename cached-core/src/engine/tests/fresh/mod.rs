//! Values near and past their end: which call refreshes them, and what all others are served.

mod announced;
mod background;
mod beside;
mod failing;
mod fallback;
mod foreground;
mod near;
mod spread;
mod two_processes;
mod unstored;

use super::*;
use crate::engine::call::near::near;
use crate::engine::call::{Call, read};
use crate::engine::policy::Policy;
use crate::key::Piece;
use crate::near::keep::{Cloned, Unkept};
use crate::outcome::ResultValue;
use crate::site::{Freshness, Local, Site, SiteSpec};
use crate::store::{Acquire, Get};
use crate::ttl::TtlSpec;
use std::sync::atomic::{AtomicU64, Ordering};

type Returned = Result<u64, String>;

const TTL: Duration = Duration::from_secs(10);
const WINDOW: Duration = Duration::from_secs(60);
const COOLDOWN: Duration = Duration::from_secs(5);

/// Values from here on are not stored.
const UNSTORED: u64 = 1_000;

const REVALIDATE: Freshness = Freshness { revalidate_ms: Some(60_000), ..Freshness::NONE };
const BACKGROUND: Freshness = Freshness { background: true, ..REVALIDATE };
const IF_ERROR: Freshness = Freshness { if_error_ms: Some(60_000), ..Freshness::NONE };

/// An annotated function with the key "k", as the attribute expands it. Counts how often its body runs.
#[derive(Debug, Clone)]
struct Function {
    site: &'static Site,
    fresh: Freshness,
    loads: Arc<AtomicU64>,
}

impl Function {
    fn new(fresh: Freshness) -> Self {
        Self::kept(fresh, None)
    }

    /// A function that keeps its values in the near cache.
    fn kept(fresh: Freshness, local: Option<Local>) -> Self {
        Self::with(&SiteSpec { local, fresh, ..SiteSpec::DEFAULT })
    }

    fn with(spec: &SiteSpec) -> Self {
        let fresh = spec.fresh;
        let spec = SiteSpec { name: "f", template: &[Piece::Literal("k")], ttl: TtlSpec::Millis(10_000), ..*spec };
        Self { site: Box::leak(Box::new(Site::new(spec))), fresh, loads: Arc::default() }
    }

    fn loads(&self) -> u64 {
        self.loads.load(Ordering::SeqCst)
    }

    /// A call whose load takes `takes`.
    async fn call(&self, on: &Subject, result: Returned, takes: Duration) -> Returned {
        self.call_with(on, async move {
            if takes > Duration::ZERO {
                sleep(takes).await;
            }
            result
        })
        .await
    }

    async fn call_with(&self, on: &Subject, body: impl Future<Output = Returned> + Send + 'static) -> Returned {
        let shape = ResultValue::<u64, String>::default();
        let call = match near(self.site, Some(&on.cache), "", &[], shape, Cloned) {
            Ok(returned) => return returned,
            Err(call) => call,
        };
        let mut load = match read(call, shape, Cloned).await {
            Ok(returned) => return returned,
            Err(load) => load,
        };
        let loads = Arc::clone(&self.loads);
        let body = async move {
            loads.fetch_add(1, Ordering::SeqCst);
            body.await
        };
        let policy = Policy::default().cache_if(|value| *value < UNSTORED);
        if self.fresh.spawn || self.fresh.background {
            return load.detach(shape, policy, body).await;
        }
        let returned = load.run(&Policy::<u64>::default(), body).await;
        load.settle(shape, &policy, returned)
    }

    /// Starts a call as a task that has run as far as it can without time passing.
    async fn calling(&self, on: &Subject, result: Returned, takes: Duration) -> JoinHandle<Returned> {
        let (function, on) = (self.clone(), on.clone());
        let call = tokio::spawn(async move { function.call(&on, result, takes).await });
        tasks().await;
        call
    }

    /// Stores a value and lets its end pass.
    async fn stale(&self, on: &Subject, value: u64) {
        assert_eq!(self.call(on, Ok(value), AT_ONCE).await, Ok(value));
        on.cache.flush().await;
        self.loads.store(0, Ordering::SeqCst);
        on.clock.advance(TTL);
    }
}

fn failed() -> Returned {
    Err("the source is down".to_owned())
}

impl Subject {
    fn with_cooldown() -> Self {
        Self::with(|builder| builder.refresh_cooldown(COOLDOWN))
    }

    /// Another process on the same store.
    fn another(&self) -> Self {
        let builder = Cache::builder()
            .namespace("cache")
            .store(Arc::clone(&self.store) as _)
            .clock(self.clock.clone())
            .jitter(0.0);
        let cache = builder.budget(BUDGET).refresh_cooldown(COOLDOWN).build().unwrap();
        Self { cache, ..self.clone() }
    }

    fn refresh_lease_key(&self) -> Key {
        self.engine().settings.prefix.refresh_lease(&self.key())
    }

    async fn refresh_lease(&self) -> Option<Bytes> {
        self.store.memory.get(Get::new(&self.refresh_lease_key(), BUDGET)).await.unwrap()
    }

    /// A refresh lease as another process would hold it.
    async fn plant_refresh_lease(&self, time: Duration) {
        let (memory, key) = (&self.store.memory, self.refresh_lease_key());
        let answer = memory.acquire(Acquire::new(&key, Head::lease(9 << 16), time, BUDGET)).await;
        assert_eq!(answer.unwrap(), Acquired::Granted);
    }

    fn of_function(&self) -> SiteStats {
        self.stats_of("f")
    }
}
