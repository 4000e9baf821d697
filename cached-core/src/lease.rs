//! A lease: the right to load a key and to store the result, for a time that its holder renews.
//!
//! It lives in the register itself, so whatever removes the register (an invalidation, an eviction, a plain `DEL`)
//! revokes it. Leases: Nishtala et al., *Scaling Memcache at Facebook*, NSDI 2013.
//!
//! # On cancellation
//! Dropping a lease releases it in a task of its own, even if the answer to its ACQUIRE was still awaited. Those of a batch
//! are released in one task for all ([`Releases`]).

use crate::envelope::Head;
use crate::error::StoreError;
use crate::key::Key;
use crate::store::{Acquired, Replace, Store};
use crate::sync::{Mutex, locked};
use futures_util::stream::{self, StreamExt};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// What releasing may take. Nobody waits for it.
const OFF_PATH: Duration = Duration::from_secs(1);

/// Leases of a batch that are renewed or released side by side.
const AT_ONCE: usize = 256;

/// A load that hangs does not keep its key to itself for ever.
const RENEWED_FOR: Duration = Duration::from_secs(60);

/// 128 random bits, which are never given out twice; `None` if the operating system has none to give.
pub(crate) fn random_id() -> Option<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(u128::from_le_bytes(bytes))
}

#[derive(Debug)]
pub(crate) struct Lease {
    store: Arc<dyn Store>,
    key: Key,
    id: u128,
    time: Duration,
    /// Whether the register may still be ours: from the moment ACQUIRE is sent.
    to_release: bool,
    renewal: Option<Renewal>,
    /// Who releases it when it is dropped; `None`: a task of its own.
    releases: Option<Arc<Releases>>,
}

impl Lease {
    /// A lease that was not asked for yet; `None` if there are no random bits. Dropped, it is released by `releases` along
    /// with the others of its batch, if it is of one.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        key: Key,
        time: Duration,
        releases: Option<Arc<Releases>>,
    ) -> Option<Self> {
        let id = random_id()?;
        Some(Self { store, key, id, time, to_release: false, renewal: None, releases })
    }

    /// Its 128 random bits.
    pub(crate) fn id(&self) -> u128 {
        self.id
    }

    /// The register while it is this lease.
    pub(crate) fn head(&self) -> Head {
        Head::lease(self.id)
    }

    /// ACQUIRE.
    pub(crate) async fn acquire(&mut self, replace: Replace, within: Duration) -> Result<Acquired, StoreError> {
        self.to_release = true;
        let answer = self.store.acquire(&self.key, self.head(), self.time, replace, within).await;
        self.to_release = match &answer {
            Ok(acquired) => *acquired == Acquired::Granted,
            // Unknown, unless the server has said no.
            Err(error) => error.kind.is_outage(),
        };
        answer
    }

    /// Renews the lease until it is lost or dropped, or the load is no longer worth waiting for.
    pub(crate) fn keep_alive(&mut self) {
        self.renewal = Some(Renewal::start(Arc::clone(&self.store), vec![self.to_renew()], self.time));
    }

    /// What [`Renewal`] renews, where one is for many.
    pub(crate) fn to_renew(&self) -> (Key, Head) {
        (Arc::clone(&self.key), self.head())
    }

    /// RELEASE, waited for.
    pub(crate) async fn release(mut self, within: Duration) -> Result<(), StoreError> {
        self.to_release = false;
        self.store.release(&self.key, self.head(), within).await.map(drop)
    }

    /// The register is no longer this lease: filled, or known to be lost.
    pub(crate) fn forget(mut self) {
        self.to_release = false;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.renewal.take());
        if !self.to_release {
            return;
        }
        let (store, key, head) = (Arc::clone(&self.store), Arc::clone(&self.key), self.head());
        if let Some(releases) = &self.releases {
            return releases.add(key, head);
        }
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                // If it fails the lease runs out by itself.
                let _ = store.release(&key, head, OFF_PATH).await;
            });
        }
    }
}

/// Renews leases every third of their time until they are lost or this is dropped, or the load is no longer worth waiting
/// for. One task, however many they are.
#[derive(Debug)]
pub(crate) struct Renewal(JoinHandle<()>);

impl Renewal {
    pub(crate) fn start(store: Arc<dyn Store>, mut leases: Vec<(Key, Head)>, time: Duration) -> Self {
        Self(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(time / 3);
            ticks.tick().await;
            let began = tokio::time::Instant::now();
            while began.elapsed() < RENEWED_FOR && !leases.is_empty() {
                ticks.tick().await;
                leases = renewed(&*store, leases, time).await;
            }
        }))
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Renews all of them; those that are not lost are to be renewed again. One that fails is tried again at the next tick,
/// before the lease has run out.
async fn renewed(store: &dyn Store, leases: Vec<(Key, Head)>, time: Duration) -> Vec<(Key, Head)> {
    let renew = |(key, head): (Key, Head)| async move {
        let is_lost = matches!(store.renew(&key, head, time, time / 6).await, Ok(false));
        (!is_lost).then_some((key, head))
    };
    let mut kept = Vec::with_capacity(leases.len());
    let mut renewals = stream::iter(leases).map(renew).buffer_unordered(AT_ONCE);
    while let Some(lease) = renewals.next().await {
        kept.extend(lease);
    }
    kept
}

/// Gathers the dropped leases of a batch, and releases them in one task: when it is told to, or nobody can add any more.
#[derive(Debug)]
pub(crate) struct Releases {
    store: Arc<dyn Store>,
    due: Mutex<Vec<(Key, Head)>>,
}

impl Releases {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, due: Mutex::new(Vec::new()) }
    }

    fn add(&self, key: Key, head: Head) {
        locked(&self.due).push((key, head));
    }

    /// Releases what has been dropped so far.
    pub(crate) fn start(&self) {
        let due = std::mem::take(&mut *locked(&self.due));
        if due.is_empty() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let mut work = Box::pin(release_all(Arc::clone(&self.store), due));
        // The commands are on their way at once, and a store in memory has no need of a task.
        if work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            runtime.spawn(work);
        }
    }
}

impl Drop for Releases {
    fn drop(&mut self) {
        self.start();
    }
}

/// Those that cannot be released run out by themselves. When the store is out of reach the rest is left to do so, too.
async fn release_all(store: Arc<dyn Store>, leases: Vec<(Key, Head)>) {
    let store = &*store;
    let release = |(key, head): (Key, Head)| async move { store.release(&key, head, OFF_PATH).await };
    let mut releases = stream::iter(leases).map(release).buffer_unordered(AT_ONCE);
    while let Some(released) = releases.next().await {
        if released.is_err_and(|error| error.kind.is_outage()) {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
