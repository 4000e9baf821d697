//! News of changes, which can be held back.

use crate::store::Watcher;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// A relay between the memory, which tells of changes at once, and a watcher. While news is held back, neither news nor
/// confirmations arrive.
#[derive(Debug)]
pub(super) struct News {
    pub(super) watcher: Weak<dyn Watcher>,
    pub(super) is_held: Arc<AtomicBool>,
}

impl News {
    fn tell(&self, tell: impl FnOnce(&dyn Watcher)) {
        if !self.is_held.load(Ordering::SeqCst)
            && let Some(watcher) = self.watcher.upgrade()
        {
            tell(&*watcher);
        }
    }
}

impl Watcher for News {
    fn changed(&self, key: &str) {
        self.tell(|watcher| watcher.changed(key));
    }

    fn all_changed(&self) {
        self.tell(|watcher| watcher.all_changed());
    }

    fn lost(&self) {
        self.tell(|watcher| watcher.lost());
    }

    fn regained(&self) {
        self.tell(|watcher| watcher.regained());
    }

    fn confirmed(&self, asked: Instant) {
        self.tell(|watcher| watcher.confirmed(asked));
    }

    fn heartbeat(&self) -> Duration {
        self.watcher.upgrade().map_or(Duration::MAX, |watcher| watcher.heartbeat())
    }
}
