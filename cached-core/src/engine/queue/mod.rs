//! Invalidations that could not be applied yet. Bookkeeping only; [`replay`](replay) applies them.
//!
//! An invalidation removes registers, whatever stands there, and to remove twice is to remove once: so one entry for each
//! register is all there is to remember, and order among those of one register does not matter. Bounded: when there are too
//! many, all of them become one invalidation of the whole namespace.
//!
//! A register that the store refuses, while it takes others, waits by itself and longer each time: the others must not wait for it.

pub(crate) mod replay;

use crate::envelope::Head;
use crate::key::Key;
use crate::sync::locked;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// Registers that are remembered one by one.
const MOST: usize = 100_000;
/// Writers that are remembered for one register.
const WRITERS: usize = 64;
/// Registers that are applied in one go.
const BATCH: usize = 500;
/// How long a register waits that was refused: at first, doubled each time, and at most.
const REFUSED: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(10));

#[derive(Debug)]
pub(crate) struct Queue {
    /// Mirrors the size of `state`: no lock is taken as long as nothing is pending.
    len: AtomicUsize,
    state: Mutex<QueueState>,
    most: usize,
}

#[derive(Debug, Default)]
struct QueueState {
    /// In the order in which they are applied: the register of all tags before each tag, whose name begins with its own. A
    /// load that ends in between must find the register of all tags changed.
    registers: BTreeMap<Key, QueueEntry>,
    /// The whole namespace, since this number.
    all: Option<u64>,
    /// Number of the next invalidation.
    next: u64,
    /// Somebody is applying them.
    is_claimed: bool,
    /// A refusal has been told of.
    is_refusal_told: bool,
}

#[derive(Debug, Clone)]
struct QueueEntry {
    /// The last invalidation of this register.
    number: u64,
    /// Writers whose markers stand there.
    writers: Vec<Head>,
    refused: Option<Refused>,
}

/// A register that the store has refused.
#[derive(Debug, Clone, Copy)]
struct Refused {
    until: Instant,
    pause: Duration,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum QueueStep {
    Apply(QueueBatch),
    /// All that is left has been refused: wait.
    Wait(Duration),
    /// There is nothing to do, and the duty is over.
    Done,
}

/// Something to be applied.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum QueueBatch {
    Registers(Vec<QueuedRegister>),
    /// The whole namespace.
    All(u64),
}

/// One register to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueuedRegister {
    pub(super) key: Key,
    pub(super) writers: Vec<Head>,
    number: u64,
}

impl Default for Queue {
    fn default() -> Self {
        Self::new(MOST)
    }
}

impl Queue {
    fn new(most: usize) -> Self {
        Self { len: AtomicUsize::new(0), state: Mutex::default(), most }
    }

    fn locked(&self) -> MutexGuard<'_, QueueState> {
        locked(&self.state)
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
    /// Whether they are too many now, so that all of them become one invalidation of the namespace.
    pub(super) fn add(&self, keys: &[Key], writer: Option<Head>) -> bool {
        let mut state = self.locked();
        let number = state.next;
        state.next += 1;
        let added = keys.iter().filter(|key| !state.registers.contains_key(*key)).count();
        let overflows = state.all.is_none() && state.registers.len() + added > self.most;
        if overflows || state.all.is_some() {
            // Markers that nobody removes run out.
            state.registers = BTreeMap::new();
            state.all = Some(number);
        } else {
            for key in keys {
                let new = QueueEntry { number, writers: Vec::new(), refused: None };
                let waiting = state.registers.entry(Key::clone(key)).or_insert(new);
                waiting.number = number;
                // The markers of those that find no room run out.
                if waiting.writers.len() < WRITERS {
                    waiting.writers.extend(writer);
                }
            }
        }
        self.count(&state);
        overflows
    }

    /// How many registers are remembered one by one.
    pub(super) fn most(&self) -> usize {
        self.most
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

    /// What to do next.
    pub(super) fn next(&self, now: Instant) -> QueueStep {
        let mut state = self.locked();
        if let Some(number) = state.all {
            return QueueStep::Apply(QueueBatch::All(number));
        }
        let due = |(key, waiting): (&Key, &QueueEntry)| QueuedRegister {
            key: Key::clone(key),
            writers: waiting.writers.clone(),
            number: waiting.number,
        };
        let is_due = |waiting: &QueueEntry| waiting.refused.is_none_or(|refused| refused.until <= now);
        let batch: Vec<_> =
            state.registers.iter().filter(|(_, waiting)| is_due(waiting)).take(BATCH).map(due).collect();
        if !batch.is_empty() {
            return QueueStep::Apply(QueueBatch::Registers(batch));
        }
        let refused = state.registers.values().filter_map(|waiting| waiting.refused);
        if let Some(until) = refused.map(|refused| refused.until).min() {
            return QueueStep::Wait(until - now);
        }
        state.is_claimed = false;
        state.is_refusal_told = false;
        QueueStep::Done
    }

    /// The store has refused this register.
    pub(super) fn refused(&self, due: &QueuedRegister, now: Instant) {
        let mut state = self.locked();
        if let Some(waiting) = state.registers.get_mut(&due.key) {
            let pause = waiting.refused.map_or(REFUSED.0, |refused| (2 * refused.pause).min(REFUSED.1));
            waiting.refused = Some(Refused { until: now + pause, pause });
        }
    }

    /// Whether a refusal is to be told of: it is the first since nothing was pending. Asked each time.
    pub(super) fn is_first_refusal(&self) -> bool {
        !std::mem::replace(&mut self.locked().is_refusal_told, true)
    }

    /// The batch has been applied. What was added meanwhile stays.
    pub(super) fn applied(&self, batch: &QueueBatch) {
        let mut state = self.locked();
        match batch {
            QueueBatch::All(number) => {
                if state.all == Some(*number) {
                    state.all = None;
                }
            }
            QueueBatch::Registers(batch) => {
                for due in batch {
                    if state.registers.get(&due.key).is_some_and(|waiting| waiting.number == due.number) {
                        state.registers.remove(&due.key);
                    }
                }
            }
        }
        self.count(&state);
    }

    fn count(&self, state: &QueueState) {
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

    fn covers(pending: &Queue, key: &str) -> bool {
        pending.covers(keys([key]).iter())
    }

    fn to_apply(pending: &Queue) -> QueueBatch {
        match pending.next(Instant::now()) {
            QueueStep::Apply(batch) => batch,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_register_of_all_tags_is_applied_before_any_tag() {
        let prefix = crate::key::Prefix::new("shop");
        let tags: Vec<Key> = (0..2 * BATCH).map(|n| prefix.register(&format!("t:{n}"))).collect();
        let pending = Queue::new(10 * BATCH);
        pending.add(&tags, None);
        pending.add(&[prefix.all_tags()], None);
        let QueueBatch::Registers(first) = to_apply(&pending) else { panic!("not a sweep") };
        assert!(tags[0].starts_with(&*prefix.all_tags()), "{}", tags[0]);
        assert_eq!(first[0].key, prefix.all_tags());
    }

    #[test]
    fn what_is_refused_waits_longer_each_time_and_holds_nothing_up() {
        let (pending, start) = (Queue::new(10), Instant::now());
        let ms = Duration::from_millis;
        let at = |time| start + ms(time);
        let due = |at| match pending.next(at) {
            QueueStep::Apply(QueueBatch::Registers(due)) => due,
            other => panic!("{other:?}"),
        };
        pending.add(&keys(["refused"]), None);
        assert!(pending.claim());
        pending.refused(&due(at(0))[0], at(0));
        assert!(pending.is_first_refusal() && !pending.is_first_refusal());
        pending.add(&keys(["taken"]), None);
        let others = due(at(0));
        assert_eq!((others.len(), &*others[0].key), (1, "taken"));
        pending.applied(&QueueBatch::Registers(others));
        assert!(covers(&pending, "refused") && !covers(&pending, "taken"));
        assert_eq!(pending.next(at(0)), QueueStep::Wait(ms(50)));
        pending.refused(&due(at(50))[0], at(50));
        assert_eq!(pending.next(at(50)), QueueStep::Wait(ms(100)));
        pending.applied(&QueueBatch::Registers(due(at(150))));
        assert_eq!((pending.next(at(150)), pending.len()), (QueueStep::Done, 0));
        assert!(pending.is_first_refusal(), "of the next queue");
    }

    #[test]
    fn what_is_applied_is_believed_again() {
        let pending = Queue::new(10);
        assert!(!pending.claim() && !covers(&pending, "a"));
        pending.add(&keys(["a", "b"]), None);
        assert!(covers(&pending, "a") && !covers(&pending, "c") && pending.len() == 2);
        assert!(pending.claim() && !pending.claim(), "one at a time");
        let batch = to_apply(&pending);
        pending.applied(&batch);
        assert!(!covers(&pending, "a") && pending.next(Instant::now()) == QueueStep::Done);
        assert!(!pending.claim(), "nothing to do");
        pending.add(&keys(["a"]), None);
        assert!(pending.claim(), "the duty was given back");
    }

    #[test]
    fn what_comes_while_a_batch_is_applied_is_not_lost() {
        let pending = Queue::new(10);
        let writer = Head::lease(7);
        pending.add(&keys(["a", "b"]), None);
        let batch = to_apply(&pending);
        pending.add(&keys(["a"]), Some(writer));
        pending.applied(&batch);
        assert!(covers(&pending, "a") && !covers(&pending, "b"));
        let QueueBatch::Registers(due) = to_apply(&pending) else { panic!("one register") };
        assert_eq!(due[0].writers, [writer]);
    }

    #[test]
    fn too_many_become_an_invalidation_of_all() {
        let pending = Queue::new(2);
        pending.add(&keys(["a", "b"]), None);
        pending.add(&keys(["a", "b"]), None);
        assert!(!covers(&pending, "c"), "those are there already");
        pending.add(&keys(["c"]), None);
        assert!(covers(&pending, "anything") && pending.len() == usize::MAX);
        let batch = to_apply(&pending);
        assert!(matches!(batch, QueueBatch::All(_)));
        pending.add(&keys(["d"]), None);
        pending.applied(&batch);
        assert!(covers(&pending, "d"), "it came after the sweep had begun");
        let batch = to_apply(&pending);
        pending.applied(&batch);
        assert!(!covers(&pending, "d") && pending.len() == 0);
    }
}
