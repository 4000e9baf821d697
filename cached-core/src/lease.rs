//! A lease: the right to load a key and to store the result, for a time that its holder renews.
//!
//! It lives in the register itself, so whatever removes the register (an invalidation, an eviction, a plain `DEL`)
//! revokes it. Leases: Nishtala et al., *Scaling Memcache at Facebook*, NSDI 2013.
//!
//! # On cancellation
//! Dropping a lease releases it in a task of its own, even if the answer to its ACQUIRE was still awaited.

use crate::envelope::Head;
use crate::error::StoreError;
use crate::key::Key;
use crate::store::{Acquired, Replace, Store};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// What releasing may take. Nobody waits for it.
const OFF_PATH: Duration = Duration::from_secs(1);

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
    renewal: Option<JoinHandle<()>>,
}

impl Lease {
    /// A lease that was not asked for yet; `None` if there are no random bits.
    pub(crate) fn new(store: Arc<dyn Store>, key: Key, time: Duration) -> Option<Self> {
        let id = random_id()?;
        Some(Self { store, key, id, time, to_release: false, renewal: None })
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

    /// Renews the lease every third of its time until it is lost or dropped, or the load is no longer worth waiting for.
    pub(crate) fn keep_alive(&mut self) {
        let (store, key, head, time) = (Arc::clone(&self.store), Arc::clone(&self.key), self.head(), self.time);
        self.renewal = Some(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(time / 3);
            ticks.tick().await;
            let began = tokio::time::Instant::now();
            while began.elapsed() < RENEWED_FOR {
                ticks.tick().await;
                // One that fails is tried again at the next tick, before the lease has run out.
                if let Ok(false) = store.renew(&key, head, time, time / 6).await {
                    return;
                }
            }
        }));
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
        if let Some(renewal) = self.renewal.take() {
            renewal.abort();
        }
        if !self.to_release {
            return;
        }
        let (store, key, head) = (Arc::clone(&self.store), Arc::clone(&self.key), self.head());
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                // If it fails the lease runs out by itself.
                let _ = store.release(&key, head, OFF_PATH).await;
            });
        }
    }
}

#[cfg(test)]
mod tests;
