//! Statistics of the near cache: what it did, and what it holds.

use crate::counter::{ByReason, Counter};
use serde::Serialize;
use std::collections::BTreeMap;

crate::reason::counted_reasons! {
    /// Why a value left the near cache before it was replaced. Serializes in snake case.
    ///
    /// ```
    /// use cached_core::DropReason;
    ///
    /// assert_eq!(serde_json::to_string(&DropReason::Changed).unwrap(), "\"changed\"");
    /// ```
    DropReason {
        /// The entry or one of its tags has changed: this process has written it, or was notified.
        Changed,
        /// All entries may have changed (`FLUSHALL`, `Cache::clear` and the like), or the cache was shut down.
        Cleared,
        /// Contact with the store was lost, so that changes may have been missed.
        Gap,
        /// The value's time was over.
        Expired,
        /// There was no room for the value.
        Evicted,
    }
}

/// The live counters.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    drops: ByReason<DropReason>,
    overtaken: Counter,
}

impl Counts {
    pub(super) fn dropped(&self, reason: DropReason, n: u64) {
        self.drops.of(reason).add(n);
    }

    pub(super) fn overtaken(&self) {
        self.overtaken.one();
    }

    pub(super) fn snapshot(&self, coherent: bool, entries: u64, bytes: u64, capacity: u64) -> NearStats {
        let drops = self.drops.nonzero();
        NearStats { coherent, entries, bytes, capacity, overtaken: self.overtaken.get(), drops }
    }
}

/// The state of the near cache: [`Stats::near`](crate::Stats::near). A gauge for a metrics endpoint; serializes to a
/// map of its fields.
///
/// ```
/// use cached_core::{Cache, redis_cached};
/// use std::sync::Arc;
///
/// #[redis_cached(key = "square:<n>", local = "30s")]
/// async fn square(n: u64) -> Arc<u64> {
///     Arc::new(n * n)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let cache = Cache::memory();
/// cache.scope(async {
///     for _ in 0..3 {
///         assert_eq!(*square(4).await, 16); // loaded, read, kept
///         cache.flush().await;
///     }
/// })
/// .await;
/// let stats = cache.stats();
/// assert_eq!(stats.site("square").unwrap().near_hits, 1);
/// let near = stats.near.unwrap();
/// assert!(near.coherent && near.entries == 1 && near.bytes <= near.capacity);
/// # }
/// ```
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct NearStats {
    /// Whether the store announces all changes at this moment. While it does not, calls go to the store.
    pub coherent: bool,
    /// Values held. Those that are no longer served count until they are replaced.
    pub entries: u64,
    /// The weight of these values in bytes: keys, encoded values and bookkeeping.
    pub bytes: u64,
    /// The most that `bytes` may be.
    pub capacity: u64,
    /// Values that were read but not kept, because one of their registers changed meanwhile.
    pub overtaken: u64,
    /// Values dropped, by reason. A value that has changed is dropped when it is asked for next, or evicted.
    pub drops: BTreeMap<DropReason, u64>,
}
