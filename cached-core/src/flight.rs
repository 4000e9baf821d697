//! Single flight: callers of one key in one process share one load, and the way to it.
//!
//! Knows neither stores nor values. The first caller of a key *leads*; those who come while it is under way *follow*.
//! What a follower may share depends on when it came, since a completed write must be visible to every read that
//! starts after it. A leader announces each of its *steps* before it takes it (an ACQUIRE, the start of a load), and a
//! follower may use a result only if it had joined before the step that produced it. The others form the next
//! generation: one of them leads, the rest follow it, however late they wake, since all its steps come after all of
//! them: a thousand callers who come late cost one more ACQUIRE, not a thousand.
//!
//! A FILL is a step, too. When it was accepted, no invalidation fell between ACQUIRE and FILL: the value was current when
//! the FILL was carried out, and is for all who had joined before it was sent. Not for those who came later: a write may
//! have completed between the FILL and its answer.
//!
//! # On cancellation
//! A leader that is dropped hands over: its followers wake, and one of them leads. A leader that panics or reports
//! failure lets all of them go at once, so that they are not tried one after another.

use crate::sync::{AtomicUsize, Mutex, Notify, locked, timeout};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::Instant;

#[cfg(all(test, shuttle))]
mod model;
#[cfg(all(test, not(shuttle)))]
mod tests;

/// More than the callers that can be inside of the table at once on common machines.
const SHARDS: usize = 32;

type Table<K, T> = HashMap<K, Arc<Flight<T>>>;

/// The flights under way.
#[derive(Debug)]
pub(crate) struct Flights<K, T> {
    tables: Arc<Tables<K, T>>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Tables<K, T> {
    shards: Box<[Mutex<Table<K, T>>]>,
    /// Flights in all shards.
    len: AtomicUsize,
}

#[derive(Debug)]
struct Flight<T> {
    state: Mutex<State<T>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<T> {
    /// Steps begun so far.
    step: u32,
    progress: Progress<T>,
    /// Time spent waiting for the store, up to the step under way.
    store_time: Duration,
    /// Since when it is waiting for the store, if it is.
    in_store_since: Option<Instant>,
    /// The next generation, once one of this one's followers leads it. Weak, so that a follower which is never polled
    /// again does not keep all generations after it alive.
    next: Weak<Flight<T>>,
}

#[derive(Debug)]
enum Progress<T> {
    UnderWay,
    /// Loaded by this step; whether it is current is not proved yet.
    Loaded(T, u32),
    Ended(Ending<T>),
}

/// How a flight ended.
#[derive(Debug)]
enum Ending<T> {
    /// For those who had joined before the step.
    Found(T, u32),
    /// The load failed: followers load by themselves.
    Failed,
    /// The leader is gone: followers start over.
    Over,
}

/// What a caller is to a flight.
#[derive(Debug)]
pub(crate) enum Role<K: Hash + Eq, T> {
    Lead(Lead<K, T>),
    Follow(Follow<T>),
}

/// What a follower gets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Landing<T> {
    /// A result that is current for this caller.
    Shared(T),
    /// The load failed: load without leading.
    Failed,
    /// The leader is gone, or what it found was under way when this caller came: join the next generation. With the
    /// time that the flight spent waiting for the store.
    Next(Duration),
    /// Loaded, but the leader does not get to say whether the value was stored: load without leading.
    Unsettled,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        let (store_time, in_store_since) = (Duration::ZERO, None);
        Self { step: 0, progress: Progress::UnderWay, store_time, in_store_since, next: Weak::new() }
    }
}

impl<T> State<T> {
    /// Begins a step, or none, that waits for the store or does not.
    fn begin(&mut self, in_store: bool) {
        let now = Instant::now();
        if let Some(since) = self.in_store_since.take() {
            self.store_time += now - since;
        }
        self.in_store_since = in_store.then_some(now);
    }
}

impl<K: Hash + Eq + Clone, T: Clone> Flights<K, T> {
    pub(crate) fn new() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::new(HashMap::new())).collect();
        Self { tables: Arc::new(Tables { shards, len: AtomicUsize::new(0) }), hasher: RandomState::new() }
    }

    /// Whether a flight of this key is under way. Costs next to nothing while there is none at all. One that starts or ends
    /// at this moment may be missed.
    pub(crate) fn has(&self, key: impl FnOnce() -> K) -> bool {
        self.tables.len.load(Ordering::Relaxed) > 0 && {
            let key = key();
            locked(&self.tables.shards[self.shard(&key)]).contains_key(&key)
        }
    }

    /// Joins the flight of `key`, or starts it.
    pub(crate) fn join(&self, key: &K) -> Role<K, T> {
        self.board(key, |flight| locked(&flight.state).step)
    }

    /// Joins the generation after the one that `follow` followed to its end.
    pub(crate) fn join_next(&self, key: &K, follow: &Follow<T>) -> Role<K, T> {
        // Whatever comes after a flight that this caller has followed began after this caller came.
        const BEFORE_ALL_STEPS: u32 = 0;
        let next = locked(&follow.flight.state).next.upgrade();
        if let Some(flight) = next {
            return Role::Follow(Follow { flight, joined_at: BEFORE_ALL_STEPS });
        }
        let role = self.board(key, |_| BEFORE_ALL_STEPS);
        let (Role::Lead(Lead { flight, .. }) | Role::Follow(Follow { flight, .. })) = &role;
        locked(&follow.flight.state).next = Arc::downgrade(flight);
        role
    }

    fn board(&self, key: &K, joined_at: impl FnOnce(&Flight<T>) -> u32) -> Role<K, T> {
        let shard = self.shard(key);
        let mut table = locked(&self.tables.shards[shard]);
        if let Some(flight) = table.get(key) {
            return Role::Follow(Follow { flight: Arc::clone(flight), joined_at: joined_at(flight) });
        }
        let state = Mutex::new(State::default());
        let flight = Arc::new(Flight { state, changed: Notify::new() });
        table.insert(key.clone(), Arc::clone(&flight));
        self.tables.len.fetch_add(1, Ordering::Relaxed);
        Role::Lead(Lead { flight, tables: Arc::clone(&self.tables), shard, key: key.clone(), ended: false })
    }

    fn shard(&self, key: &K) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "it is below SHARDS")]
        let shard = (self.hasher.hash_one(key) % SHARDS as u64) as usize;
        shard
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        let len = self.tables.shards.iter().map(|shard| locked(shard).len()).sum();
        assert_eq!(self.tables.len.load(Ordering::Relaxed), len);
        len
    }
}

/// The leader's part. Dropping it hands over.
#[derive(Debug)]
pub(crate) struct Lead<K: Hash + Eq, T> {
    flight: Arc<Flight<T>>,
    tables: Arc<Tables<K, T>>,
    shard: usize,
    key: K,
    ended: bool,
}

impl<K: Hash + Eq, T> Lead<K, T> {
    /// Announces a step on the store; to be called right before it is taken. Returns its number.
    pub(crate) fn store_step(&self) -> u32 {
        self.begin(true)
    }

    /// Announces the load; to be called right before it begins. Returns its number.
    pub(crate) fn load_step(&self) -> u32 {
        self.begin(false)
    }

    /// Says that the leader waits for something other than the store.
    pub(crate) fn idle(&self) {
        locked(&self.flight.state).begin(false);
    }

    fn begin(&self, in_store: bool) -> u32 {
        let mut state = locked(&self.flight.state);
        state.begin(in_store);
        state.step += 1;
        state.step
    }

    /// Ends with a value found by `step`.
    pub(crate) fn found(mut self, value: T, step: u32) {
        self.end(Ending::Found(value, step));
    }

    /// Shares a value loaded by `step` at once with those who may use it; the flight goes on until it is proved current
    /// or not.
    pub(crate) fn loaded(&self, value: T, step: u32) {
        locked(&self.flight.state).progress = Progress::Loaded(value, step);
        self.flight.changed.notify_waiters();
    }

    /// Ends after [`loaded`](Self::loaded): the value was current when `fill`, a step on the store, was carried out.
    pub(crate) fn proved_current(self, fill: u32) {
        self.settle(Some(fill));
    }

    /// Ends after [`loaded`](Self::loaded): nothing was stored, so the value is for the early ones only.
    pub(crate) fn not_proved(self) {
        self.settle(None);
    }

    fn settle(mut self, proved_by: Option<u32>) {
        let progress = std::mem::replace(&mut locked(&self.flight.state).progress, Progress::UnderWay);
        match progress {
            Progress::Loaded(value, step) => self.end(Ending::Found(value, proved_by.unwrap_or(step))),
            Progress::UnderWay | Progress::Ended(_) => self.end(Ending::Over),
        }
    }

    /// Ends with a load that failed.
    pub(crate) fn failed(mut self) {
        self.end(Ending::Failed);
    }

    fn end(&mut self, ending: Ending<T>) {
        self.ended = true;
        // Out of the table first: whoever comes from here on starts a new flight.
        locked(&self.tables.shards[self.shard]).remove(&self.key);
        self.tables.len.fetch_sub(1, Ordering::Relaxed);
        let mut state = locked(&self.flight.state);
        state.begin(false);
        state.progress = Progress::Ended(ending);
        drop(state);
        self.flight.changed.notify_waiters();
    }
}

impl<K: Hash + Eq, T> Drop for Lead<K, T> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(if std::thread::panicking() { Ending::Failed } else { Ending::Over });
        }
    }
}

/// A follower's part.
#[derive(Debug)]
pub(crate) struct Follow<T> {
    flight: Arc<Flight<T>>,
    joined_at: u32,
}

impl<T: Clone> Follow<T> {
    /// Waits for what the flight has for this caller. When the load is done and only its settling is left, no longer
    /// than `settles_within`: the leader may be in a runtime that has gone idle.
    pub(crate) async fn landing(&self, settles_within: Duration) -> Landing<T> {
        loop {
            let mut changed = std::pin::pin!(self.flight.changed.notified());
            // Registered before the state is looked at, so that no change between the two is missed.
            changed.as_mut().enable();
            if let Some(landing) = self.landed() {
                return landing;
            }
            if !self.is_loaded() {
                changed.await;
            } else if timeout(settles_within, changed).await.is_err() {
                return Landing::Unsettled;
            }
        }
    }

    /// Whether the leader waits for the store right now.
    pub(crate) fn is_in_store(&self) -> bool {
        locked(&self.flight.state).in_store_since.is_some()
    }

    fn is_loaded(&self) -> bool {
        matches!(locked(&self.flight.state).progress, Progress::Loaded(..))
    }

    fn landed(&self) -> Option<Landing<T>> {
        let state = locked(&self.flight.state);
        match &state.progress {
            Progress::Loaded(value, step) | Progress::Ended(Ending::Found(value, step)) if self.joined_at < *step => {
                Some(Landing::Shared(value.clone()))
            }
            Progress::Ended(Ending::Failed) => Some(Landing::Failed),
            Progress::Ended(Ending::Found(..) | Ending::Over) => Some(Landing::Next(state.store_time)),
            Progress::UnderWay | Progress::Loaded(..) => None,
        }
    }
}
