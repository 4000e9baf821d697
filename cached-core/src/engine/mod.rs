//! The read path. Works on bytes; the generic shell around it is [`shell`].
//!
//! # On cancellation
//! A caller that goes away while it looks up or waits leaves nothing behind. One that goes away while it loads takes
//! its load with it: the lease is released, and a follower takes over. With `spawn` the load goes on without its caller.
//!
//! # When Redis is down
//! The steps of one call on the store share one budget; when it is used up, or the breaker is open, the function runs
//! without the store: still one load per key in this process, and a bounded number of loads at once.

mod account;
pub(crate) mod asking;
mod background;
pub(crate) mod batch;
mod beside;
mod both;
mod bracket;
mod budget;
mod bulkhead;
mod claims;
mod closing;
pub(crate) mod detached;
mod direct;
mod freshness;
mod look;
mod look_near;
mod lookup;
mod nesting;
mod notices;
mod pending;
mod permit;
mod probe;
mod put;
mod renew;
mod replay;
pub(crate) mod running;
pub(crate) mod shell;
pub(crate) mod shell_near;
mod site_state;
mod target;
mod ticket;
pub(crate) mod write;

use background::Background;
use budget::{Budget, Gate};
use bulkhead::Bulkhead;
use claims::Claims;
use pending::Pending;
pub(crate) use site_state::{SiteRef, SiteState};
pub(crate) use target::Target;
pub use {bracket::Bracket, put::Put};

use crate::breaker::{Breaker, BreakerState, Edge, Verdict};
use crate::clock::Clock;
use crate::codec::Codec;
use crate::envelope::Entry;
use crate::error::{CacheError, StoreError};
use crate::flight::Flights;
use crate::key::{Key, Prefix};
use crate::near::{Near, NearSettings};
use crate::outcome::CacheValue;
use crate::site::{self, Site};
use crate::stats::{Counters, SiteStats};
use crate::store::Store;
use crate::ttl::Classes;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;

/// Followers of a failed load that load at once. Above the bulkhead's limit: the store is well, and nobody should wait
/// more than one further round for a source that fails.
const LOADS_AFTER_FAILURE: usize = 256;

/// What the builder decided.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) prefix: Prefix,
    /// Part of every fingerprint.
    pub(crate) version: u32,
    pub(crate) classes: Classes,
    pub(crate) jitter: f64,
    pub(crate) codec: Codec,
    pub(crate) budget: Duration,
    pub(crate) lease: Duration,
    pub(crate) marker: Duration,
    pub(crate) max_wait: Duration,
    pub(crate) max_value_bytes: usize,
    pub(crate) compress_above: usize,
    pub(crate) load_limit: usize,
    pub(crate) near: NearSettings,
    pub(crate) throttle: Duration,
}

/// Callers share a flight if they mean the same key and the same type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FlightKey {
    key: Key,
    fingerprint: u64,
    /// The flight of those who have waited for another one for too long.
    is_late: bool,
}

fn is_on_tokio() -> bool {
    // To ask for the task first costs less: it takes no handle.
    tokio::task::try_id().is_some() || tokio::runtime::Handle::try_current().is_ok()
}

#[derive(Debug)]
pub(crate) struct Engine {
    /// Tells the caches of a process apart.
    id: u64,
    pub(crate) settings: Settings,
    pub(crate) store: Gate,
    clock: Clock,
    breaker: Breaker,
    /// The last probe has ended with its runtime.
    has_lost_probe: AtomicBool,
    pub(crate) pending: Pending,
    /// Nothing is pending any more.
    drained: Notify,
    flights: Flights<FlightKey, Entry>,
    /// Who renews which values.
    claims: Arc<Claims>,
    /// Bounds loads without the store.
    bulkhead: Arc<Bulkhead>,
    /// Bounds loads after one that has failed.
    after_failure: Arc<Bulkhead>,
    background: Arc<Background>,
    /// The last error of the store's that is no outage.
    refusal: Mutex<Option<String>>,
    /// Made when the first function wants it.
    near: OnceLock<Arc<Near>>,
    /// By the site's address.
    sites: Mutex<HashMap<usize, Arc<SiteState>>>,
}

impl Engine {
    pub(crate) fn new(settings: Settings, store: Arc<dyn Store>, clock: Clock) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            bulkhead: Bulkhead::new(settings.load_limit),
            after_failure: Bulkhead::new(LOADS_AFTER_FAILURE),
            background: Arc::default(),
            breaker: Breaker::new(),
            has_lost_probe: AtomicBool::new(false),
            pending: Pending::default(),
            drained: Notify::new(),
            flights: Flights::new(),
            claims: Arc::default(),
            refusal: Mutex::default(),
            near: OnceLock::new(),
            sites: Mutex::default(),
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            settings,
            store: Gate::new(store),
            clock,
        }
    }

    /// An entry, for callers without an attribute.
    pub(crate) fn target<T: CacheValue>(self: &Arc<Self>, site: &'static Site, key: &str) -> Target {
        let site = self.site(site);
        let fingerprint = site.fingerprint::<T>("");
        Target {
            engine: Arc::clone(self),
            site,
            key: self.settings.prefix.literal(key),
            fingerprint,
            left: None,
            tagged: None,
        }
    }

    /// This cache's counters and resolved policy of a site.
    #[inline]
    pub(crate) fn site(&self, site: &'static Site) -> SiteRef {
        let first = site.first(self.id, || self.listed(site));
        match first.and_then(|state| state.downcast_ref()) {
            Some(state) => SiteRef::First(state),
            None => SiteRef::Other(self.listed(site)),
        }
    }

    fn listed(&self, site: &'static Site) -> Arc<SiteState> {
        let address = std::ptr::from_ref(site).addr();
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            sites.entry(address).or_insert_with(|| Arc::new(SiteState::new(site, &self.settings, || self.near()))),
        )
    }

    /// The near cache.
    fn near(&self) -> Arc<Near> {
        let near = self.near.get_or_init(|| {
            let near = Arc::new(Near::new(&self.settings.near, self.clock.clone()));
            let watcher: Weak<Near> = Arc::downgrade(&near);
            self.store.watch(watcher);
            // One that is to be told is held on to.
            if Arc::weak_count(&near) == 0 {
                tracing::warn!(
                    store = ?self.store,
                    "the store tells nobody of changes: there is no near cache; a store around another one has to forward `watch` \
                     and `get_watched`"
                );
            }
            near
        });
        Arc::clone(near)
    }

    /// The near cache, if any function has wanted one.
    pub(crate) fn near_in_use(&self) -> Option<&Near> {
        self.near.get().map(|near| &**near)
    }

    /// This process has written these registers: what it keeps of them is dropped before the write returns.
    pub(crate) fn wrote<'a>(&self, keys: impl IntoIterator<Item = &'a Key>) {
        if let Some(near) = self.near_in_use() {
            near.wrote(keys);
        }
    }

    pub(crate) fn sites(&self) -> Vec<Arc<SiteState>> {
        let sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sites: Vec<_> = sites.values().cloned().collect();
        sites.sort_by_key(|state| (state.site.spec().file, state.site.spec().line, state.site.name()));
        sites
    }

    /// The counters of all sites: of those that were called here, and of the others that may be.
    pub(crate) fn site_stats(&self) -> Vec<SiteStats> {
        let called = self.sites();
        let is_called = |site: &Site| called.iter().any(|state| std::ptr::eq(state.site, site));
        let uncalled = site::all().into_iter().filter(|site| site.spec().ambient && !is_called(site));
        let uncalled = uncalled.map(|site| Counters::default().snapshot(site, 0));
        let mut stats: Vec<_> = called.iter().map(|state| state.stats()).chain(uncalled).collect();
        stats.sort_by(|a, b| (&a.file_line, &a.path).cmp(&(&b.file_line, &b.path)));
        stats
    }

    pub(crate) fn breaker(&self) -> BreakerState {
        self.breaker.state()
    }

    /// Whether the store may be used now and here.
    ///
    /// # Errors
    /// Why it may not.
    pub(crate) fn usable(self: &Arc<Self>) -> Result<(), CacheError> {
        if !is_on_tokio() {
            return Err(CacheError::NoRuntime);
        }
        if self.may_use_store() { Ok(()) } else { Err(CacheError::BreakerOpen) }
    }

    /// Whether the store may be used now; starts a probe if one is due. To be called on tokio.
    fn may_use_store(self: &Arc<Self>) -> bool {
        if self.breaker.is_healthy() {
            return true;
        }
        match self.breaker.ask(self.clock.now()) {
            Verdict::Use => true,
            Verdict::Skip => false,
            Verdict::SkipAndProbe => {
                probe::start(self);
                false
            }
        }
    }

    /// The budget of a call that begins now.
    fn budget(&self) -> Budget {
        Budget::new(self.settings.budget)
    }

    /// Asks the store whether it is there.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        self.budget().step(self, Store::ping).await
    }

    /// Tells the breaker how the store did.
    fn noted<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        match &answer {
            Err(error) if error.kind.is_outage() => {
                if self.breaker.outage(self.clock.now()) == Some(Edge::Opened) {
                    tracing::warn!(
                        store = ?self.store,
                        %error,
                        "the cache's store is out of reach: its breaker is open, functions run without it"
                    );
                }
            }
            // The connection's runtime is gone or stands still: that tells nothing of the store.
            Err(error) if !error.kind.is_answer() => {}
            Err(error) => {
                *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                self.breaker.answered();
            }
            Ok(_) => self.breaker.answered(),
        }
        answer
    }

    /// Waits until nothing is being stored in the background.
    pub(crate) async fn settled(&self) {
        self.background.settled().await;
    }
}

#[cfg(test)]
mod tests;
