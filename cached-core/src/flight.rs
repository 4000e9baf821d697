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
//!
//! # Leaders that are not polled
//! A leader that could go on and is not polled *stalls* (see [`pulse`]). Its followers do not wait for that: the first to
//! notice takes its place in the table with a flight of its own, the next generation, and the others follow that. This
//! breaks none of the rules above, since all followers of the former came before it left the table, and the steps of the
//! latter come after. Whatever the stalled leader finds, should it go on, is for those who joined it before the step, as
//! ever. Each such flight is given twice the time of the one before: where a busy process looks like a stalled leader,
//! loads do not multiply.
//!
//! A leader that is polled is waited for, however slow its load is. And a follower that is polled late itself is no judge.

pub(crate) mod pulse;

use crate::sync::{AtomicUsize, Mutex, Notify, locked, timeout};
use pulse::Pulse;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::pin::pin;
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
/// How often the time that a leader may stall is doubled at most.
const DOUBLED: u32 = 6;

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
    /// The next generation, once one of this one's followers leads it.
    next: Next<T>,
    /// The generations that this one is the next of.
    formers: Vec<Weak<Flight<T>>>,
    /// How the leader is polled, once it has something to wait for.
    pulse: Option<Arc<Pulse>>,
    /// Another flight has taken its place.
    is_left: bool,
    /// Flights before this one that stalled.
    stalled: u32,
    /// The lease under which it loads, or is about to, or that of the flight whose place it has taken.
    lease: Option<u128>,
}

/// The next generation. Not kept alive, so that a follower which is never polled again does not keep all generations after it
/// alive: what it has found stays, for those who wake late.
#[derive(Debug)]
enum Next<T> {
    Flight(Weak<Flight<T>>),
    Ended(Arc<Flight<T>>),
}

impl<T> Next<T> {
    fn flight(&self) -> Option<Arc<Flight<T>>> {
        match self {
            Self::Flight(flight) => flight.upgrade(),
            Self::Ended(flight) => Some(Arc::clone(flight)),
        }
    }
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
pub(crate) enum Role<K: Hash + Eq, T: Clone> {
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
    /// The leader could go on and is not polled: join the next generation.
    Stalled,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self {
            step: 0,
            progress: Progress::UnderWay,
            store_time: Duration::ZERO,
            in_store_since: None,
            next: Next::Flight(Weak::new()),
            formers: Vec::new(),
            pulse: None,
            is_left: false,
            stalled: 0,
            lease: None,
        }
    }
}

impl<T> Flight<T> {
    /// One that has ended with a value found by `step`.
    fn ended(value: T, step: u32) -> Arc<Self> {
        let state = State { progress: Progress::Ended(Ending::Found(value, step)), ..State::default() };
        Arc::new(Self { state: Mutex::new(state), changed: Notify::new() })
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
        self.board(key, None, |flight| locked(&flight.state).step)
    }

    /// Joins the generation after the one that `follow` followed to its end, or until it stalled.
    pub(crate) fn join_next(&self, key: &K, follow: &Follow<T>) -> Role<K, T> {
        // Whatever comes after a flight that this caller has followed began after this caller came.
        const BEFORE_ALL_STEPS: u32 = 0;
        let next = locked(&follow.flight.state).next.flight();
        if let Some(flight) = next {
            return Role::Follow(Follow { flight, joined_at: BEFORE_ALL_STEPS });
        }
        let role = self.board(key, Some(&follow.flight), |_| BEFORE_ALL_STEPS);
        let (Role::Lead(Lead { flight, .. }) | Role::Follow(Follow { flight, .. })) = &role;
        locked(&flight.state).formers.push(Arc::downgrade(&follow.flight));
        let mut former = locked(&follow.flight.state);
        former.next = Next::Flight(Arc::downgrade(flight));
        // If it has not ended, the others need not find out by themselves.
        former.is_left = true;
        drop(former);
        follow.flight.changed.notify_waiters();
        role
    }

    /// Joins the flight in the table, unless that is the one to be left, or starts one in its place.
    fn board(&self, key: &K, left: Option<&Arc<Flight<T>>>, joined_at: impl FnOnce(&Flight<T>) -> u32) -> Role<K, T> {
        let shard = self.shard(key);
        let mut table = locked(&self.tables.shards[shard]);
        let mut state = State::default();
        if let Some(flight) = table.get(key) {
            if !left.is_some_and(|left| Arc::ptr_eq(left, flight)) {
                return Role::Follow(Follow { flight: Arc::clone(flight), joined_at: joined_at(flight) });
            }
            let stalled = locked(&flight.state);
            (state.stalled, state.lease) = (stalled.stalled + 1, stalled.lease);
        }
        let flight = Arc::new(Flight { state: Mutex::new(state), changed: Notify::new() });
        if table.insert(key.clone(), Arc::clone(&flight)).is_none() {
            self.tables.len.fetch_add(1, Ordering::Relaxed);
        }
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
pub(crate) struct Lead<K: Hash + Eq, T: Clone> {
    flight: Arc<Flight<T>>,
    tables: Arc<Tables<K, T>>,
    shard: usize,
    key: K,
    ended: bool,
}

impl<K: Hash + Eq, T: Clone> Lead<K, T> {
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

    /// As [`idle`](Self::idle), after a look at the store that the leader could do without, since it waits anyway: it is
    /// no time that its followers have lost.
    pub(crate) fn idle_after_a_look_in_vain(&self) {
        locked(&self.flight.state).in_store_since = None;
    }

    fn begin(&self, in_store: bool) -> u32 {
        let mut state = locked(&self.flight.state);
        state.begin(in_store);
        state.step += 1;
        state.step
    }

    /// By which followers see whether the leader is polled; it can go on now.
    pub(crate) fn pulse(&self) -> Arc<Pulse> {
        let mut state = locked(&self.flight.state);
        let pulse = state.pulse.get_or_insert_with(Pulse::new);
        pulse.becomes_ready();
        Arc::clone(pulse)
    }

    /// As [`pulse`](Self::pulse), of a leader that leads other flights as well.
    pub(crate) fn is_driven_by(&self, pulse: Arc<Pulse>) {
        locked(&self.flight.state).pulse = Some(pulse);
    }

    /// Names the lease that the leader is about to ask for. With the one that whoever it has taken the place of may hold.
    pub(crate) fn leases(&self, lease: u128) -> Option<u128> {
        locked(&self.flight.state).lease.replace(lease)
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
        let mut table = locked(&self.tables.shards[self.shard]);
        // Unless another has taken its place there.
        if table.get(&self.key).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight)) {
            table.remove(&self.key);
            self.tables.len.fetch_sub(1, Ordering::Relaxed);
        }
        drop(table);
        let mut state = locked(&self.flight.state);
        state.begin(false);
        let formers = std::mem::take(&mut state.formers);
        let found = match &ending {
            Ending::Found(value, step) if !formers.is_empty() => Some(Flight::ended(value.clone(), *step)),
            Ending::Found(..) | Ending::Failed | Ending::Over => None,
        };
        state.progress = Progress::Ended(ending);
        drop(state);
        if let Some(found) = found {
            for former in formers.iter().filter_map(Weak::upgrade) {
                locked(&former.state).next = Next::Ended(Arc::clone(&found));
            }
        }
        self.flight.changed.notify_waiters();
    }
}

impl<K: Hash + Eq, T: Clone> Drop for Lead<K, T> {
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
    /// than `settles_within`: the leader may be in a runtime that has gone idle. Until then, no longer than `stalls_within`
    /// while the leader is not polled though it could go on.
    pub(crate) async fn landing(&self, settles_within: Duration, stalls_within: Duration) -> Landing<T> {
        let came = Instant::now();
        let mut is_prompt = true;
        loop {
            let mut changed = pin!(self.flight.changed.notified());
            // Registered before the state is looked at, so that no change between the two is missed.
            changed.as_mut().enable();
            if let Some(landing) = self.landed() {
                return landing;
            }
            if self.is_loaded() {
                if timeout(settles_within, changed).await.is_err() {
                    return Landing::Unsettled;
                }
                continue;
            }
            let (patience, idle) = self.patience(stalls_within, came);
            if idle >= patience && is_prompt {
                return Landing::Stalled;
            }
            let wait = patience.checked_sub(idle).filter(|left| !left.is_zero()).unwrap_or(patience);
            let asked = Instant::now();
            // When the time is over it is looked at again.
            let _ = timeout(wait, changed).await;
            // Who is polled late is no judge of who is: the process is busy.
            is_prompt = asked.elapsed() < wait.saturating_add(patience / 4);
        }
    }

    /// How long the leader may be idle, and how long it has been while this follower waited. What was before does not count:
    /// it may have been woken behind this follower, and have its turn in a moment.
    fn patience(&self, stalls_within: Duration, came: Instant) -> (Duration, Duration) {
        let state = locked(&self.flight.state);
        let patience = stalls_within.saturating_mul(1 << state.stalled.min(DOUBLED));
        let idle_since = state.pulse.as_ref().and_then(|pulse| pulse.idle_since());
        (patience, idle_since.map_or(Duration::ZERO, |since| since.max(came).elapsed()))
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
            Progress::UnderWay | Progress::Loaded(..) if state.is_left => Some(Landing::Next(state.store_time)),
            Progress::UnderWay | Progress::Loaded(..) => None,
        }
    }
}
