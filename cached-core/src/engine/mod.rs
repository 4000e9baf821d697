//! The engine of a cache. It works on bytes; the generic calls around it are in [`call`].
//!
//! # On cancellation
//! A caller that goes away while it reads or waits leaves nothing behind. One that goes away while it loads takes its
//! load with it: the lease is released, and a follower takes over. With `spawn` the load goes on without its caller.
//!
//! # When Redis is down
//! The steps of one call on the store share one budget. When it is used up, or the breaker is open, the function runs
//! without the store: still one load per key in this process, and a bounded number of loads at once.

pub(crate) mod ambient;
pub(crate) mod asking;
pub(crate) mod batch;
mod budget;
mod bulkhead;
pub(crate) mod call;
pub(crate) mod control;
mod flight;
mod flight_value;
pub(crate) mod forced;
pub(crate) mod gate;
pub(crate) mod handle;
mod health;
pub(crate) mod load;
pub(crate) mod manual;
mod miss;
pub(crate) mod nesting;
pub(crate) mod policy;
mod probe;
mod queue;
mod read;
pub(crate) mod record;
mod refresh;
pub(crate) mod settings;
pub(crate) mod shutdown;
mod site;
mod target;
pub(crate) mod write;

pub(crate) use site::by_hand::HandSites;
pub(crate) use site::{SiteRef, SiteState};
pub(crate) use target::Target;
pub use write::bracket::Bracket;
pub use write::put::Put;

use crate::background::Background;
use crate::breaker::Breaker;
use crate::clock::Clock;
use crate::flight::Flights;
use crate::key::Key;
use crate::lease::Releases;
use crate::near::Near;
use crate::site::Site;
use crate::stats::{Counters, SiteStats};
use crate::store::Store;
use crate::sync::locked;
use bulkhead::Bulkhead;
use flight::FlightKey;
use flight_value::FlightValue;
use gate::{Close, Gate};
use queue::Queue;
use refresh::local::LocalRefreshes;
use settings::Settings;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use tokio::sync::Notify;

/// How many followers of a failed load may load at once. This is above the bulkhead's limit, because the store is well,
/// and nobody should wait more than one further round for a source that fails.
const LOADS_AFTER_FAILURE: usize = 256;

#[derive(Debug)]
pub struct Engine {
    /// Distinguishes the caches of a process.
    id: u64,
    pub(crate) settings: Settings,
    pub(crate) store: Gate,
    clock: Clock,
    breaker: Breaker,
    /// The runtime of the last probe has ended, and the probe with it.
    has_lost_probe: AtomicBool,
    pub(crate) queue: Queue,
    /// Notifies that the queue is empty.
    drained: Notify,
    flights: Flights<FlightKey, FlightValue>,
    /// Which values are being refreshed here, or cool down.
    local_refreshes: Arc<LocalRefreshes>,
    /// Bounds loads without the store.
    bulkhead: Arc<Bulkhead>,
    /// Bounds loads after one that has failed.
    after_failure: Arc<Bulkhead>,
    background: Arc<Background>,
    /// Releases the leases of single calls.
    releases: Arc<Releases>,
    /// Calls read nothing from the store any more.
    is_shut: AtomicBool,
    /// The last error of the store that is not an outage.
    refusal: Mutex<Option<String>>,
    /// Made when the first function uses it.
    near: OnceLock<Arc<Near>>,
    /// By the site's address.
    sites: Mutex<HashMap<usize, Arc<SiteState>>>,
    by_hand: HandSites,
}

impl Engine {
    /// `close` closes the connections of the store, if they are the cache's own.
    pub(crate) fn new(settings: Settings, store: Arc<dyn Store>, close: Option<Close>, clock: Clock) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let background = Arc::<Background>::default();
        Self {
            bulkhead: Bulkhead::new(settings.load_limit),
            after_failure: Bulkhead::new(LOADS_AFTER_FAILURE),
            releases: Arc::new(Releases::at_once(Arc::clone(&store), Arc::clone(&background))),
            background,
            is_shut: AtomicBool::new(false),
            breaker: Breaker::new(),
            has_lost_probe: AtomicBool::new(false),
            queue: Queue::new(settings.prefix.all_tags()),
            drained: Notify::new(),
            flights: Flights::new(),
            local_refreshes: Arc::default(),
            refusal: Mutex::default(),
            near: OnceLock::new(),
            sites: Mutex::default(),
            by_hand: HandSites::default(),
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            settings,
            store: Gate::new(store, close),
            clock,
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
        let mut sites = locked(&self.sites);
        Arc::clone(
            sites.entry(address).or_insert_with(|| Arc::new(SiteState::new(site, &self.settings, || self.near()))),
        )
    }

    /// The near cache.
    fn near(&self) -> Arc<Near> {
        let near = self.near.get_or_init(|| {
            let near = Arc::new(Near::new(&self.settings.near, self.clock.clone()));
            let watcher: Weak<Near> = Arc::downgrade(&near);
            if !self.store.watch(watcher) {
                tracing::warn!(
                    store = ?self.store,
                    "the store does not announce changes, so there is no near cache; a store that wraps another one must \
                     forward its `capabilities`"
                );
            }
            near
        });
        Arc::clone(near)
    }

    /// The near cache, if any function uses one.
    pub(crate) fn near_in_use(&self) -> Option<&Near> {
        self.near.get().map(|near| &**near)
    }

    /// Drops what the near cache keeps of these registers, before the write that has changed them returns.
    pub(crate) fn wrote<'a>(&self, keys: impl IntoIterator<Item = &'a Key>) {
        if let Some(near) = self.near_in_use() {
            near.wrote(keys);
        }
    }

    pub(crate) fn sites(&self) -> Vec<Arc<SiteState>> {
        let mut sites: Vec<_> = locked(&self.sites).values().cloned().collect();
        sites.extend(self.by_hand.all());
        sites.sort_by_key(|state| (state.site.spec().file, state.site.spec().line, state.site.name()));
        sites
    }

    /// The counters of all sites that were called in this cache, and of those that may still be.
    pub(crate) fn site_stats(&self) -> Vec<SiteStats> {
        let called = self.sites();
        let is_called = |site: &Site| called.iter().any(|state| std::ptr::eq(state.site, site));
        let uncalled = crate::site::all().into_iter().filter(|site| site.spec().ambient && !is_called(site));
        let uncalled = uncalled.map(|site| Counters::default().snapshot(site, 0));
        let (hand, functions): (Vec<_>, Vec<_>) =
            called.iter().partition(|state| state.site.spec().template.is_empty());
        let functions = functions.into_iter().map(|state| state.stats());
        let hand = site::by_hand::merged(hand.into_iter().map(|state| state.stats()));
        let mut stats: Vec<_> = functions.chain(uncalled).chain(hand).collect();
        stats.sort_by(|a, b| (&a.file_line, &a.path).cmp(&(&b.file_line, &b.path)));
        stats
    }

    /// Waits until nothing is being stored in the background.
    pub(crate) async fn stored(&self) {
        self.background.stored().await;
    }
}

#[cfg(test)]
mod tests;
