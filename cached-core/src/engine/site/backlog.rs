//! The writes of a site that the store did not take, counted until it takes them again.

use std::sync::atomic::{AtomicU64, Ordering};

/// The queued and unbracketed writes of a site since the store last took one.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    queued: AtomicU64,
    unbracketed: AtomicU64,
}

impl Backlog {
    /// Whether it is the first.
    pub(super) fn unbracketed(&self) -> bool {
        self.unbracketed.fetch_add(1, Ordering::Relaxed) == 0 && self.queued.load(Ordering::Relaxed) == 0
    }

    /// Whether it is the first.
    pub(super) fn queued(&self) -> bool {
        self.queued.fetch_add(1, Ordering::Relaxed) == 0 && self.unbracketed.load(Ordering::Relaxed) == 0
    }

    /// How many there were, if that was not said with the first.
    pub(super) fn end(&self) -> Option<(u64, u64)> {
        let met =
            |count: &AtomicU64| if count.load(Ordering::Relaxed) == 0 { 0 } else { count.swap(0, Ordering::Relaxed) };
        let (queued, unbracketed) = (met(&self.queued), met(&self.unbracketed));
        (queued.max(unbracketed) > 1).then_some((queued, unbracketed))
    }
}
