//! The capacity of the near cache: what an entry weighs, and how many bytes all entries may weigh together.
//!
//! When there are more, `quick_cache` evicts the least useful ones (S3-FIFO).

use super::name::Name;
use super::stats::{Counts, DropReason};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Lifecycle, Weighter};
use std::sync::Arc;

/// Bytes that an entry costs beside its key and value: the map's own fields, reference counts, marks.
pub(super) const ENTRY_OVERHEAD: u64 = 192;
/// Bytes that each tag of an entry costs.
const TAG_OVERHEAD: u64 = 96;

/// A map whose entries weigh no more than its capacity.
pub(super) type Map<E> = Cache<Name, E, ByWeight, DefaultHashBuilder, Evictions>;

/// An entry that knows what it weighs.
pub(super) trait Weighed {
    /// The result of [`weight`] for this entry.
    fn weight(&self) -> u32;
}

/// The weight of an entry in bytes; `bytes` is the size of its key and of the encoded value.
pub(super) fn weight(bytes: usize, tags: usize) -> u32 {
    let weight = bytes as u64 + ENTRY_OVERHEAD + TAG_OVERHEAD * tags as u64;
    u32::try_from(weight).unwrap_or(u32::MAX)
}

/// An empty map of that capacity in bytes, which counts its evictions.
pub(super) fn map<E: Weighed + Clone>(capacity: u64, counts: &Arc<Counts>) -> Map<E> {
    // An estimate, which only sizes the queues: the weight is what bounds the map.
    let entries = usize::try_from(capacity / 1024).unwrap_or(usize::MAX).clamp(16, 1 << 20);
    let evictions = Evictions(Arc::clone(counts));
    Cache::with(entries, capacity, ByWeight, DefaultHashBuilder::default(), evictions)
}

#[derive(Debug, Clone)]
pub(super) struct ByWeight;

impl<E: Weighed> Weighter<Name, E> for ByWeight {
    fn weight(&self, _: &Name, entry: &E) -> u64 {
        u64::from(entry.weight())
    }
}

/// Counts evictions.
#[derive(Debug, Clone)]
pub(super) struct Evictions(Arc<Counts>);

impl<E> Lifecycle<Name, E> for Evictions {
    type RequestState = <DefaultLifecycle<Name, E> as Lifecycle<Name, E>>::RequestState;

    fn on_evict(&self, _: &mut Self::RequestState, _: Name, _: E) {
        self.0.dropped(DropReason::Evicted, 1);
    }
}
