//! The end of a cache: no new work begins, what is under way ends, and the rest is counted.
//!
//! What calls see is in [`Cache::shutdown`](crate::Cache::shutdown).
//!
//! # On cancellation
//! A shutdown that is dropped has begun all the same: calls run uncached, and what was under way goes on. It can be
//! shut down again.
//!
//! # When Redis is down
//! The shutdown ends when its time is over. What it could not finish is in its [`Unfinished`].

use super::Engine;
use super::health::is_on_tokio;
use futures_util::future::join;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::timeout;

/// What was left to do when a cache was shut down: [`Cache::shutdown`](crate::Cache::shutdown).
///
/// Displays as one line for a log. Serializes to a map of its fields.
///
/// ```
/// use cached_core::Cache;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let unfinished = Cache::memory().shutdown(Duration::from_secs(5)).await;
/// assert!(unfinished.is_empty());
/// assert_eq!(unfinished.to_string(), "nothing is left");
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[must_use = "it says what is lost: log it unless it `is_empty()`"]
#[non_exhaustive]
pub struct Unfinished {
    /// Loaded values that were still being stored. They are loaded again.
    pub values: usize,
    /// Registers (entries, tags, events) whose invalidation was queued, and is lost: other processes may serve what it
    /// was about until its time to live is over.
    pub invalidations: usize,
    /// Whether the queue had overflowed, so that the whole namespace was to be removed, which is lost: call
    /// [`Cache::clear`](crate::Cache::clear) on a new cache.
    pub sweep: bool,
    /// Leases of loads that were given up and are not returned yet. Another process that wants to load such a key waits
    /// until the lease ends by itself.
    pub leases: usize,
    /// Loads that still run in tasks of their own (`spawn`, `refresh = "background"`). They end with their runtime.
    pub loads: usize,
}

impl Unfinished {
    /// Whether everything was done in time.
    ///
    /// ```
    /// # async fn end(cache: cached_core::Cache) {
    /// let unfinished = cache.shutdown(std::time::Duration::from_secs(5)).await;
    /// if !unfinished.is_empty() {
    ///     eprintln!("the cache was not finished: {unfinished}");
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing is left");
        }
        let mut separator = "";
        for (count, one, many) in [
            (self.values, "value not stored", "values not stored"),
            (self.invalidations, "invalidation not applied", "invalidations not applied"),
            (usize::from(self.sweep), "namespace not removed", ""),
            (self.leases, "lease not returned", "leases not returned"),
            (self.loads, "load not ended", "loads not ended"),
        ] {
            if count > 0 {
                write!(f, "{separator}{count} {}", if count == 1 { one } else { many })?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

impl Engine {
    /// Whether the cache is shut down: calls read nothing from the store.
    pub(crate) fn is_shut(&self) -> bool {
        self.is_shut.load(Ordering::Relaxed)
    }

    /// Begins no new work, and waits for what is under way, but not longer than `within`.
    pub(crate) async fn shutdown(self: &Arc<Self>, within: Duration) -> Unfinished {
        self.is_shut.store(true, Ordering::Relaxed);
        // Only now do callers look at the flag.
        self.breaker.be_wary();
        self.forget_near();
        if is_on_tokio() {
            let _ = timeout(within, self.finish()).await;
        }
        let queued = self.queue.close();
        self.drained.notify_waiters();
        let running = self.background.running();
        self.store.close();
        // A read that was under way may have kept something.
        self.forget_near();
        Unfinished {
            values: running.values,
            invalidations: queued.registers,
            sweep: queued.is_sweep,
            leases: running.releases,
            loads: running.loads,
        }
    }

    /// Waits until nothing is running and nothing is queued. Both at once, so that a load that takes long does not keep
    /// the queue from being applied; and again, because a load may write when it ends.
    async fn finish(self: &Arc<Self>) {
        while !self.background.is_idle() || self.queue.len() > 0 {
            join(self.background.ended(), self.drained()).await;
        }
    }

    fn forget_near(&self) {
        if let Some(near) = self.near_in_use() {
            near.clear();
        }
    }
}
