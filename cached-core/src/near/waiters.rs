//! Callers that wait until a register changes.

use crate::key::Key;
use crate::sync::{Mutex, locked};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(super) struct Waiters {
    /// By the register that they wait for.
    waiting: Mutex<HashMap<Key, Vec<Arc<Notify>>>>,
    /// Number of waiters, so that a change takes no lock while nobody waits.
    count: AtomicUsize,
}

impl Waiters {
    pub(super) fn add(&self, key: &Key) -> Arc<Notify> {
        let waiter = Arc::new(Notify::new());
        locked(&self.waiting).entry(Key::clone(key)).or_default().push(Arc::clone(&waiter));
        self.count.fetch_add(1, Ordering::SeqCst);
        waiter
    }

    pub(super) fn remove(&self, key: &Key, waiter: &Arc<Notify>) {
        let mut waiting = locked(&self.waiting);
        if let Some(waiters) = waiting.get_mut(key) {
            waiters.retain(|other| !Arc::ptr_eq(other, waiter));
            if waiters.is_empty() {
                waiting.remove(key);
            }
        }
        drop(waiting);
        self.count.fetch_sub(1, Ordering::SeqCst);
    }

    /// Wakes the callers that wait for this register.
    pub(super) fn wake(&self, key: &str) {
        if self.count.load(Ordering::SeqCst) > 0 {
            // A caller that does not wait yet is woken as soon as it does.
            locked(&self.waiting).get(key).into_iter().flatten().for_each(|waiter| waiter.notify_one());
        }
    }

    /// Wakes all: any register may have changed, or changes are no longer announced.
    pub(super) fn wake_all(&self) {
        if self.count.load(Ordering::SeqCst) > 0 {
            locked(&self.waiting).values().flatten().for_each(|waiter| waiter.notify_one());
        }
    }
}
