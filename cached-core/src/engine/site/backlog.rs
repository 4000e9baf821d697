//! Counts the writes of a site that the store did not take, until it takes them again.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The queued and unbracketed writes of a site since the store last took one.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    queued: AtomicU64,
    unbracketed: AtomicU64,
    has_lost: AtomicBool,
}

impl Backlog {
    /// Counts a write without its bracket. Returns whether it is the first of the outage.
    pub(super) fn unbracketed(&self) -> bool {
        self.unbracketed.fetch_add(1, Ordering::Relaxed) == 0 && self.queued.load(Ordering::Relaxed) == 0
    }

    /// Counts a queued invalidation. Returns whether it is the first of the outage.
    pub(super) fn queued(&self) -> bool {
        self.queued.fetch_add(1, Ordering::Relaxed) == 0 && self.unbracketed.load(Ordering::Relaxed) == 0
    }

    /// Notes a lost invalidation. Returns whether it is the first: that others were queued says nothing about it.
    pub(super) fn lost(&self) -> bool {
        !self.has_lost.swap(true, Ordering::Relaxed)
    }

    /// Ends the outage. Returns how many there were, unless there was only the one that was logged.
    pub(super) fn end(&self) -> Option<(u64, u64)> {
        let take =
            |count: &AtomicU64| if count.load(Ordering::Relaxed) == 0 { 0 } else { count.swap(0, Ordering::Relaxed) };
        let (queued, unbracketed) = (take(&self.queued), take(&self.unbracketed));
        (queued.max(unbracketed) > 1).then_some((queued, unbracketed))
    }
}
