//! The watchers of a store.

use super::Watcher;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{PoisonError, RwLock, Weak};
#[cfg(feature = "redis")]
use std::time::Duration;

/// The watchers of a store, one per cache that has a near cache.
#[derive(Default)]
pub(super) struct Watchers {
    list: RwLock<Vec<Weak<dyn Watcher>>>,
    /// Whether there has been a watcher: all that a step looks at as long as nobody watches.
    any: AtomicBool,
}

impl fmt::Debug for Watchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchers").field("any", &self.any()).finish_non_exhaustive()
    }
}

impl Watchers {
    /// Adds a watcher, and forgets those that are gone.
    pub(super) fn add(&self, watcher: Weak<dyn Watcher>) {
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        list.retain(|watcher| watcher.strong_count() > 0);
        list.push(watcher);
        self.any.store(true, Ordering::SeqCst);
        // A step that does not see this watcher yet has taken effect before everything that is read from here on.
        fence(Ordering::SeqCst);
    }

    /// Whether there has been a watcher. A step asks this after its change has taken effect.
    pub(super) fn any(&self) -> bool {
        fence(Ordering::SeqCst);
        self.any.load(Ordering::SeqCst)
    }

    /// Calls `tell` with each watcher.
    pub(super) fn each(&self, mut tell: impl FnMut(&dyn Watcher)) {
        let list = self.list.read().unwrap_or_else(PoisonError::into_inner);
        for watcher in list.iter().filter_map(Weak::upgrade) {
            tell(&*watcher);
        }
    }

    /// The shortest heartbeat of the watchers; `None` if all are gone.
    #[cfg(feature = "redis")]
    pub(super) fn heartbeat(&self) -> Option<Duration> {
        let list = self.list.read().unwrap_or_else(PoisonError::into_inner);
        list.iter().filter_map(Weak::upgrade).map(|watcher| watcher.heartbeat()).min()
    }
}
