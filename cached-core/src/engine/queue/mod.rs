//! The queue of invalidations that could not be applied yet. This is bookkeeping only; [`replay`] applies them.
//!
//! An invalidation removes registers, whatever stands there, and removing twice is the same as removing once. So the
//! queue needs only one item for each register, and the order of the invalidations of one register does not matter. The
//! queue is bounded: if there are too many items, all of them become one invalidation of the whole namespace.
//!
//! If the store refuses one register and takes others, that register waits by itself, longer each time, so that the
//! others do not wait for it.

pub(crate) mod replay;

use crate::envelope::Head;
use crate::key::Key;
use crate::sync::locked;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// Most registers that are remembered one by one.
const MOST: usize = 100_000;
/// Most writers that are remembered for one register.
const WRITERS: usize = 64;
/// Most registers that are applied at once.
const BATCH: usize = 500;
/// How long a refused register waits: the first pause, which doubles each time, and the longest.
const REFUSAL_PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(10));

#[derive(Debug)]
pub(crate) struct Queue {
    /// Mirrors the size of `state`, so that no lock is taken while nothing is queued.
    len: AtomicUsize,
    state: Mutex<QueueState>,
    most: usize,
    /// The register of all tags, which is applied before every tag and event: a load that ends in between must find it
    /// changed.
    all_tags: Key,
}

#[derive(Debug, Default)]
struct QueueState {
    /// In the order in which they are applied, except for the register of all tags.
    registers: BTreeMap<Key, QueueItem>,
    /// The number of the last invalidation, if the whole namespace is queued.
    all: Option<u64>,
    /// The number of the next invalidation.
    next: u64,
    /// A task is applying them.
    is_claimed: bool,
    /// A refusal has been logged.
    is_refusal_logged: bool,
    /// Nothing is taken any more.
    is_closed: bool,
}

/// What became of an invalidation that was to be queued.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added {
    Queued,
    /// The queue has become too long just now, so that all of it is one invalidation of the namespace.
    Overflowed,
    /// The queue is closed: it has taken nothing.
    Refused,
}

/// What was in a queue that was closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dropped {
    pub(super) registers: usize,
    /// It was one invalidation of the namespace.
    pub(super) is_sweep: bool,
}

#[derive(Debug, Clone)]
struct QueueItem {
    /// The last invalidation of this register.
    number: u64,
    /// Writers whose markers stand there.
    writers: Vec<Head>,
    refusal: Option<Refusal>,
}

/// The store has refused to remove a register.
#[derive(Debug, Clone, Copy)]
struct Refusal {
    until: Instant,
    pause: Duration,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum QueueStep {
    Apply(QueueBatch),
    /// Everything that is left has been refused: wait.
    Wait(Duration),
    /// There is nothing left to do. The duty to replay ends.
    Done,
}

/// What to apply next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum QueueBatch {
    Registers(Vec<QueuedRegister>),
    /// The whole namespace, up to the invalidation of this number.
    All(u64),
}

/// One register to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueuedRegister {
    pub(super) key: Key,
    pub(super) writers: Vec<Head>,
    number: u64,
}

impl Queue {
    /// `all_tags`: the register of all tags.
    pub(super) fn new(all_tags: Key) -> Self {
        Self::of(MOST, all_tags)
    }

    fn of(most: usize, all_tags: Key) -> Self {
        Self { len: AtomicUsize::new(0), state: Mutex::default(), most, all_tags }
    }

    fn locked(&self) -> MutexGuard<'_, QueueState> {
        locked(&self.state)
    }

    /// How many registers are queued; `usize::MAX` for the whole namespace.
    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// Whether one of these keys is queued, so that what the store holds there must not be served. Costs next to
    /// nothing while nothing is queued.
    pub(super) fn covers<'a>(&self, mut keys: impl Iterator<Item = &'a Key>) -> bool {
        self.len() > 0 && {
            let state = self.locked();
            state.all.is_some() || keys.any(|key| state.registers.contains_key(key))
        }
    }

    /// Adds registers to remove, and the writer whose markers are to be removed.
    pub(super) fn add(&self, keys: &[Key], writer: Option<Head>) -> Added {
        let mut state = self.locked();
        if state.is_closed {
            return Added::Refused;
        }
        let number = state.next;
        state.next += 1;
        let added = keys.iter().filter(|key| !state.registers.contains_key(*key)).count();
        let overflows = state.all.is_none() && state.registers.len() + added > self.most;
        if overflows || state.all.is_some() {
            // The markers run out by themselves.
            state.registers = BTreeMap::new();
            state.all = Some(number);
        } else {
            for key in keys {
                let new = QueueItem { number, writers: Vec::new(), refusal: None };
                let item = state.registers.entry(Key::clone(key)).or_insert(new);
                item.number = number;
                // The markers of writers beyond that run out by themselves.
                if item.writers.len() < WRITERS {
                    item.writers.extend(writer);
                }
            }
        }
        self.count(&state);
        if overflows { Added::Overflowed } else { Added::Queued }
    }

    /// Drops what is queued, and takes nothing more. The task that applies it ends.
    pub(super) fn close(&self) -> Dropped {
        let mut state = self.locked();
        state.is_closed = true;
        let registers = std::mem::take(&mut state.registers).len();
        let is_sweep = state.all.take().is_some();
        self.count(&state);
        Dropped { registers, is_sweep }
    }

    /// Whether nothing is taken any more.
    pub(super) fn is_closed(&self) -> bool {
        self.locked().is_closed
    }

    /// Whether everything has been applied.
    pub(super) fn is_applied(&self) -> bool {
        self.len() == 0 && !self.is_closed()
    }

    /// How many registers are remembered one by one at most.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Takes over the duty to replay. `false` if another task has it, or there is nothing to do.
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
        let queued = |(key, item): (&Key, &QueueItem)| QueuedRegister {
            key: Key::clone(key),
            writers: item.writers.clone(),
            number: item.number,
        };
        let is_due = |item: &QueueItem| item.refusal.is_none_or(|refusal| refusal.until <= now);
        let due = state.registers.iter().filter(|(key, item)| **key != self.all_tags && is_due(item));
        let mut batch: Vec<_> = due.take(BATCH).map(queued).collect();
        // With the first batch, and again if it was refused alone: not one tag goes before it.
        if let Some(all_tags) = state.registers.get_key_value(&self.all_tags)
            && (!batch.is_empty() || is_due(all_tags.1))
        {
            batch.insert(0, queued(all_tags));
        }
        if !batch.is_empty() {
            return QueueStep::Apply(QueueBatch::Registers(batch));
        }
        let refusals = state.registers.values().filter_map(|item| item.refusal);
        if let Some(until) = refusals.map(|refusal| refusal.until).min() {
            return QueueStep::Wait(until - now);
        }
        state.is_claimed = false;
        state.is_refusal_logged = false;
        QueueStep::Done
    }

    /// Notes that the store has refused this register.
    pub(super) fn refused(&self, due: &QueuedRegister, now: Instant) {
        let mut state = self.locked();
        if let Some(item) = state.registers.get_mut(&due.key) {
            let pause = item.refusal.map_or(REFUSAL_PAUSE.0, |refusal| (2 * refusal.pause).min(REFUSAL_PAUSE.1));
            item.refusal = Some(Refusal { until: now + pause, pause });
        }
    }

    /// Whether a refusal is the first since the queue was empty, and so is to be logged. Must be called for each
    /// refusal.
    pub(super) fn is_first_refusal(&self) -> bool {
        !std::mem::replace(&mut self.locked().is_refusal_logged, true)
    }

    /// Removes a batch that has been applied. What was added meanwhile stays.
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
                    if state.registers.get(&due.key).is_some_and(|item| item.number == due.number) {
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

    fn with_room_for(most: usize) -> Queue {
        Queue::of(most, "all".into())
    }

    fn covers(queue: &Queue, key: &str) -> bool {
        queue.covers(keys([key]).iter())
    }

    fn to_apply(queue: &Queue) -> QueueBatch {
        match queue.next(Instant::now()) {
            QueueStep::Apply(batch) => batch,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_register_of_all_tags_is_applied_before_any_tag() {
        let prefix = crate::key::Prefix::new("shop");
        let events = (0..BATCH).map(|n| prefix.register(&format!("e:Moved:{n}")));
        let tags: Vec<Key> = (0..2 * BATCH).map(|n| prefix.register(&format!("t:{n}"))).chain(events).collect();
        let queue = Queue::of(10 * BATCH, prefix.all_tags());
        queue.add(&tags, None);
        queue.add(&[prefix.all_tags()], None);
        let QueueBatch::Registers(first) = to_apply(&queue) else { panic!("not a sweep") };
        let last = tags.last().expect("an event");
        assert!(**last < *prefix.all_tags(), "{last}: it would come first");
        assert_eq!(first[0].key, prefix.all_tags());
        assert_eq!(first.iter().filter(|due| due.key == prefix.all_tags()).count(), 1);
    }

    #[test]
    fn a_tag_takes_the_register_of_all_tags_along_though_that_was_refused_before() {
        let (queue, now) = (with_room_for(10), Instant::now());
        queue.add(&keys(["all"]), None);
        let QueueBatch::Registers(refused) = to_apply(&queue) else { panic!("not a sweep") };
        queue.refused(&refused[0], now);
        assert!(matches!(queue.next(now), QueueStep::Wait(_)), "alone, it waits");
        queue.add(&keys(["a"]), None);
        let QueueStep::Apply(QueueBatch::Registers(batch)) = queue.next(now) else { panic!("there is a tag") };
        assert_eq!(batch.iter().map(|due| &*due.key).collect::<Vec<_>>(), ["all", "a"]);
    }

    #[test]
    fn a_refused_register_waits_longer_each_time_and_delays_no_other() {
        let (queue, start) = (with_room_for(10), Instant::now());
        let ms = Duration::from_millis;
        let at = |time| start + ms(time);
        let due = |at| match queue.next(at) {
            QueueStep::Apply(QueueBatch::Registers(due)) => due,
            other => panic!("{other:?}"),
        };
        queue.add(&keys(["refused"]), None);
        assert!(queue.claim());
        queue.refused(&due(at(0))[0], at(0));
        assert!(queue.is_first_refusal() && !queue.is_first_refusal());
        queue.add(&keys(["taken"]), None);
        let others = due(at(0));
        assert_eq!((others.len(), &*others[0].key), (1, "taken"));
        queue.applied(&QueueBatch::Registers(others));
        assert!(covers(&queue, "refused") && !covers(&queue, "taken"));
        assert_eq!(queue.next(at(0)), QueueStep::Wait(ms(50)));
        queue.refused(&due(at(50))[0], at(50));
        assert_eq!(queue.next(at(50)), QueueStep::Wait(ms(100)));
        queue.applied(&QueueBatch::Registers(due(at(150))));
        assert_eq!((queue.next(at(150)), queue.len()), (QueueStep::Done, 0));
        assert!(queue.is_first_refusal(), "the queue was empty in between");
    }

    #[test]
    fn applied_registers_are_no_longer_covered() {
        let queue = with_room_for(10);
        assert!(!queue.claim() && !covers(&queue, "a"));
        queue.add(&keys(["a", "b"]), None);
        assert!(covers(&queue, "a") && !covers(&queue, "c") && queue.len() == 2);
        assert!(queue.claim() && !queue.claim(), "one at a time");
        let batch = to_apply(&queue);
        queue.applied(&batch);
        assert!(!covers(&queue, "a") && queue.next(Instant::now()) == QueueStep::Done);
        assert!(!queue.claim(), "nothing to do");
        queue.add(&keys(["a"]), None);
        assert!(queue.claim(), "the duty was given back");
    }

    #[test]
    fn registers_added_while_a_batch_is_applied_stay() {
        let queue = with_room_for(10);
        let writer = Head::lease(7);
        queue.add(&keys(["a", "b"]), None);
        let batch = to_apply(&queue);
        queue.add(&keys(["a"]), Some(writer));
        queue.applied(&batch);
        assert!(covers(&queue, "a") && !covers(&queue, "b"));
        let QueueBatch::Registers(due) = to_apply(&queue) else { panic!("one register") };
        assert_eq!(due[0].writers, [writer]);
    }

    #[test]
    fn a_closed_queue_says_what_it_held_and_takes_nothing_more() {
        let queue = with_room_for(2);
        queue.add(&keys(["a", "b"]), None);
        assert!(queue.claim());
        let batch = to_apply(&queue);
        assert_eq!(queue.close(), Dropped { registers: 2, is_sweep: false });
        queue.applied(&batch);
        assert_eq!((queue.next(Instant::now()), queue.len()), (QueueStep::Done, 0), "its task ends");
        assert!(!queue.is_applied() && !queue.claim());
        assert_eq!(queue.add(&keys(["c"]), None), Added::Refused);
        assert_eq!(queue.close(), Dropped { registers: 0, is_sweep: false });

        let queue = with_room_for(1);
        assert_eq!(queue.add(&keys(["a"]), None), Added::Queued);
        assert_eq!(queue.add(&keys(["b"]), None), Added::Overflowed);
        assert_eq!(queue.close(), Dropped { registers: 0, is_sweep: true });
    }

    #[test]
    fn too_many_registers_become_one_invalidation_of_the_namespace() {
        let queue = with_room_for(2);
        queue.add(&keys(["a", "b"]), None);
        queue.add(&keys(["a", "b"]), None);
        assert!(!covers(&queue, "c"), "those are there already");
        queue.add(&keys(["c"]), None);
        assert!(covers(&queue, "anything") && queue.len() == usize::MAX);
        let batch = to_apply(&queue);
        assert!(matches!(batch, QueueBatch::All(_)));
        queue.add(&keys(["d"]), None);
        queue.applied(&batch);
        assert!(covers(&queue, "d"), "it came after the sweep had begun");
        let batch = to_apply(&queue);
        queue.applied(&batch);
        assert!(!covers(&queue, "d") && queue.len() == 0);
    }
}
