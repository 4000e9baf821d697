//! Invalidations that could not be applied yet. Bookkeeping only; [`replay`](super::replay) applies them.
//!
//! An invalidation removes registers, whatever stands there, and to remove twice is to remove once: so one entry for each
//! register is all there is to remember, and order among those of one register does not matter. Bounded: when there are too
//! many, all of them become one invalidation of the whole namespace.

use crate::envelope::Head;
use crate::key::Key;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Registers that are remembered one by one.
const MOST: usize = 100_000;
/// Registers that are applied in one go.
const BATCH: usize = 500;

#[derive(Debug)]
pub(crate) struct Pending {
    /// Mirrors the size of `state`: no lock is taken as long as nothing is pending.
    len: AtomicUsize,
    state: Mutex<State>,
    most: usize,
}

#[derive(Debug, Default)]
struct State {
    registers: HashMap<Key, Waiting>,
    /// The whole namespace, since this number.
    all: Option<u64>,
    /// Number of the next invalidation.
    next: u64,
    /// Somebody is applying them.
    is_claimed: bool,
}

#[derive(Debug, Clone)]
struct Waiting {
    /// The last invalidation of this register.
    number: u64,
    /// Writers whose markers stand there.
    writers: Vec<Head>,
}

/// Something to be applied.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Batch {
    Registers(Vec<Due>),
    /// The whole namespace.
    All(u64),
}

/// One register to be removed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) key: Key,
    pub(super) writers: Vec<Head>,
    number: u64,
}

impl Default for Pending {
    fn default() -> Self {
        Self::new(MOST)
    }
}

impl Pending {
    fn new(most: usize) -> Self {
        Self { len: AtomicUsize::new(0), state: Mutex::default(), most }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers that wait; `usize::MAX` for the whole namespace.
    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// Whether one of the keys is not to be believed. Costs next to nothing while nothing is pending.
    pub(super) fn covers<'a>(&self, mut keys: impl Iterator<Item = &'a Key>) -> bool {
        self.len() > 0 && {
            let state = self.locked();
            state.all.is_some() || keys.any(|key| state.registers.contains_key(key))
        }
    }

    /// Adds registers that are to be removed, and the writer whose markers are.
    pub(super) fn add(&self, keys: &[Key], writer: Option<Head>) {
        let mut state = self.locked();
        let number = state.next;
        state.next += 1;
        let added = keys.iter().filter(|key| !state.registers.contains_key(*key)).count();
        if state.all.is_some() || state.registers.len() + added > self.most {
            // Markers that nobody removes run out.
            state.registers = HashMap::new();
            state.all = Some(number);
        } else {
            for key in keys {
                let waiting = state.registers.entry(Key::clone(key)).or_insert(Waiting { number, writers: Vec::new() });
                waiting.number = number;
                waiting.writers.extend(writer);
            }
        }
        self.count(&state);
    }

    /// Takes over the duty to apply them; `false` if somebody has it, or there is nothing to do.
    pub(super) fn claim(&self) -> bool {
        let mut state = self.locked();
        let has_work = state.all.is_some() || !state.registers.is_empty();
        has_work && !std::mem::replace(&mut state.is_claimed, true)
    }

    /// Gives the duty back.
    pub(super) fn unclaim(&self) {
        self.locked().is_claimed = false;
    }

    /// What to apply next. Without anything to do the duty is over.
    pub(super) fn next(&self) -> Option<Batch> {
        let mut state = self.locked();
        if let Some(number) = state.all {
            return Some(Batch::All(number));
        }
        let due = |(key, waiting): (&Key, &Waiting)| Due {
            key: Key::clone(key),
            writers: waiting.writers.clone(),
            number: waiting.number,
        };
        let batch: Vec<_> = state.registers.iter().take(BATCH).map(due).collect();
        if batch.is_empty() {
            state.is_claimed = false;
            return None;
        }
        Some(Batch::Registers(batch))
    }

    /// The batch has been applied. What was added meanwhile stays.
    pub(super) fn applied(&self, batch: &Batch) {
        let mut state = self.locked();
        match batch {
            Batch::All(number) => {
                if state.all == Some(*number) {
                    state.all = None;
                }
            }
            Batch::Registers(batch) => {
                for due in batch {
                    if state.registers.get(&due.key).is_some_and(|waiting| waiting.number == due.number) {
                        state.registers.remove(&due.key);
                    }
                }
            }
        }
        self.count(&state);
    }

    fn count(&self, state: &State) {
        let len = if state.all.is_some() { usize::MAX } else { state.registers.len() };
        self.len.store(len, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys<const N: usize>(keys: [&str; N]) -> [Key; N] {
        keys.map(Key::from)
    }

    fn covers(pending: &Pending, key: &str) -> bool {
        pending.covers(keys([key]).iter())
    }

    #[test]
    fn what_is_applied_is_believed_again() {
        let pending = Pending::new(10);
        assert!(!pending.claim() && !covers(&pending, "a"));
        pending.add(&keys(["a", "b"]), None);
        assert!(covers(&pending, "a") && !covers(&pending, "c") && pending.len() == 2);
        assert!(pending.claim() && !pending.claim(), "one at a time");
        let batch = pending.next().unwrap();
        pending.applied(&batch);
        assert!(!covers(&pending, "a") && pending.next().is_none());
        assert!(!pending.claim(), "nothing to do");
        pending.add(&keys(["a"]), None);
        assert!(pending.claim(), "the duty was given back");
    }

    #[test]
    fn what_comes_while_a_batch_is_applied_is_not_lost() {
        let pending = Pending::new(10);
        let writer = Head::lease(7);
        pending.add(&keys(["a", "b"]), None);
        let batch = pending.next().unwrap();
        pending.add(&keys(["a"]), Some(writer));
        pending.applied(&batch);
        assert!(covers(&pending, "a") && !covers(&pending, "b"));
        let Some(Batch::Registers(due)) = pending.next() else { panic!("nothing to do") };
        assert_eq!(due[0].writers, [writer]);
    }

    #[test]
    fn too_many_become_an_invalidation_of_all() {
        let pending = Pending::new(2);
        pending.add(&keys(["a", "b"]), None);
        pending.add(&keys(["a", "b"]), None);
        assert!(!covers(&pending, "c"), "those are there already");
        pending.add(&keys(["c"]), None);
        assert!(covers(&pending, "anything") && pending.len() == usize::MAX);
        let batch = pending.next().unwrap();
        assert!(matches!(batch, Batch::All(_)));
        pending.add(&keys(["d"]), None);
        pending.applied(&batch);
        assert!(covers(&pending, "d"), "it came after the sweep had begun");
        let batch = pending.next().unwrap();
        pending.applied(&batch);
        assert!(!covers(&pending, "d") && pending.len() == 0);
    }
}
