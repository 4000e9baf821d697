//! Single flight: callers of one key in one process share one load, and the steps on the store before and after it.
//!
//! This file knows neither stores nor values. The first caller of a key *leads*; callers that come while it is under
//! way *follow*. What a follower may share depends on when it came, because a completed write must be visible to every
//! read that starts after it. So a leader announces each of its *steps* (an ACQUIRE, the start of a load) before it
//! takes it, and a follower may use a result only if it had joined before the step that produced it. The other
//! followers form the next generation: one of them leads and the rest follow it, however late they wake, because all of
//! its steps come after they joined. A thousand callers that come late cost one more ACQUIRE, not a thousand.
//!
//! A FILL is a step, too. If it is accepted, no invalidation came between ACQUIRE and FILL, so the value was current
//! when the FILL was carried out, and all who had joined before it was sent may use it. Later callers may not: a write
//! may have completed between the FILL and its answer.
//!
//! # On cancellation
//! If a leader is dropped, its followers wake and one of them leads. If a leader panics or reports failure, all
//! followers load by themselves at once, so that they do not fail one after another.
//!
//! # Leaders that are not polled
//! A leader that could continue but is not polled *stalls* (see [`pulse`]). Its followers do not wait for it: the first
//! to notice takes its place in the table with a flight of its own, the next generation, and the others follow that
//! one. The rules above still hold, because all followers of the stalled flight came before it left the table, and the
//! steps of the new one come after. If the stalled leader continues, its result is for those who joined it before the
//! step, as always. Each such flight is given twice the time of the one before, so that loads do not multiply where a
//! busy process looks like a stalled leader.
//!
//! Followers wait for a leader that is polled, however slow its load is. A follower that is itself polled late does not
//! judge.

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

/// More than the threads that can use the table at once on common machines.
const SHARDS: usize = 32;
/// How often at most the time that a leader may stall is doubled.
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
    /// Since when the leader has been waiting for the store, if it is.
    in_store_since: Option<Instant>,
    /// The next generation, once a follower of this flight leads it.
    next: Next<T>,
    /// The generations before this one.
    formers: Vec<Weak<Flight<T>>>,
    /// Shows whether the leader is polled, once it has something to wait for.
    pulse: Option<Arc<Pulse>>,
    /// Another flight has taken this one's place.
    is_left: bool,
    /// The number of flights before this one that stalled.
    stalled: u32,
    /// The lease that the leader has asked for, or else that of the flight whose place this one has taken.
    lease: Option<u128>,
}

/// The next generation. It is not kept alive, so that a follower which is never polled again does not keep all later
/// generations alive. Its result is kept, for followers that wake late.
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
    /// A value and the step that loaded it. It is not proved yet that the value is current.
    Loaded(T, u32),
    Ended(Ending<T>),
}

/// How a flight ended.
#[derive(Debug)]
enum Ending<T> {
    /// A value for those who had joined before this step.
    Found(T, u32),
    /// The load failed: followers load by themselves.
    Failed,
    /// The leader is gone: followers start over.
    Over,
}

/// A caller's role in a flight.
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
    /// The leader is gone, or the step that found its value had begun when this caller came: join the next generation.
    /// Holds the time that the flight spent waiting for the store.
    Next(Duration),
    /// The value is loaded, but the leader has not reported in time whether it was stored: load without leading.
    Unsettled,
    /// The leader could continue but is not polled: join the next generation.
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
    /// A flight that has ended with a value found by `step`.
    fn ended(value: T, step: u32) -> Arc<Self> {
        let state = State { progress: Progress::Ended(Ending::Found(value, step)), ..State::default() };
        Arc::new(Self { state: Mutex::new(state), changed: Notify::new() })
    }
}

impl<T> State<T> {
    /// Ends the time spent in the store, if any, and begins it again if `in_store`.
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

    /// Whether a flight of this key is under way. Costs next to nothing while there are no flights at all. May miss a
    /// flight that starts or ends at this moment.
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
        // A flight that comes after one that this caller followed began after this caller came.
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
        // If it has stalled, its other followers need not find that out by themselves.
        former.is_left = true;
        drop(former);
        follow.flight.changed.notify_waiters();
        role
    }

    /// Joins the flight in the table. Starts a new one if there is none, or if it is the one to be left.
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

/// The leader's part of a flight. If it is dropped, a follower leads.
#[derive(Debug)]
pub(crate) struct Lead<K: Hash + Eq, T: Clone> {
    flight: Arc<Flight<T>>,
    tables: Arc<Tables<K, T>>,
    shard: usize,
    key: K,
    ended: bool,
}

impl<K: Hash + Eq, T: Clone> Lead<K, T> {
    /// Announces a step on the store, right before it is taken. Returns its number.
    pub(crate) fn store_step(&self) -> u32 {
        self.begin(true)
    }

    /// Announces the load, right before it begins. Returns its number.
    pub(crate) fn load_step(&self) -> u32 {
        self.begin(false)
    }

    /// Notes that the leader waits for something other than the store.
    pub(crate) fn idle(&self) {
        locked(&self.flight.state).begin(false);
    }

    /// Like [`idle`](Self::idle), after a read that found nothing new while the leader was waiting anyway: the time of
    /// the read does not count, because the followers have not lost it.
    pub(crate) fn idle_after_reading_in_vain(&self) {
        locked(&self.flight.state).in_store_since = None;
    }

    fn begin(&self, in_store: bool) -> u32 {
        let mut state = locked(&self.flight.state);
        state.begin(in_store);
        state.step += 1;
        state.step
    }

    /// Returns the pulse that shows followers whether the leader is polled, and marks it as able to continue now.
    pub(crate) fn pulse(&self) -> Arc<Pulse> {
        let mut state = locked(&self.flight.state);
        let pulse = state.pulse.get_or_insert_with(Pulse::new);
        pulse.becomes_ready();
        Arc::clone(pulse)
    }

    /// Sets the [`pulse`](Self::pulse) of a leader that leads other flights as well.
    pub(crate) fn is_driven_by(&self, pulse: Arc<Pulse>) {
        locked(&self.flight.state).pulse = Some(pulse);
    }

    /// Notes the lease that the leader is about to ask for. Returns the one noted before, which a leader that stalled
    /// may still hold.
    pub(crate) fn leases(&self, lease: u128) -> Option<u128> {
        locked(&self.flight.state).lease.replace(lease)
    }

    /// Ends with a value found by `step`.
    pub(crate) fn found(mut self, value: T, step: u32) {
        self.end(Ending::Found(value, step));
    }

    /// Shares a value loaded by `step` at once with those who may use it. The flight continues until the value is
    /// proved current or not.
    pub(crate) fn loaded(&self, value: T, step: u32) {
        locked(&self.flight.state).progress = Progress::Loaded(value, step);
        self.flight.changed.notify_waiters();
    }

    /// Ends after [`loaded`](Self::loaded): the value was current when `fill`, a step on the store, was carried out.
    pub(crate) fn proved_current(self, fill: u32) {
        self.settle(Some(fill));
    }

    /// Ends after [`loaded`](Self::loaded): nothing was stored, so only those who joined before the load share the
    /// value.
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
        // The flight leaves the table first, so that later callers start a new one.
        let mut table = locked(&self.tables.shards[self.shard]);
        // Another flight may have taken its place there.
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

/// A follower's part of a flight.
#[derive(Debug)]
pub(crate) struct Follow<T> {
    flight: Arc<Flight<T>>,
    joined_at: u32,
}

impl<T: Clone> Follow<T> {
    /// Waits for the flight's result for this caller. Once the value is loaded, waits no longer than `settles_within`
    /// for the leader to report whether it was stored, because the leader's runtime may have gone idle. Until then,
    /// waits no longer than `stalls_within` while the leader could continue but is not polled.
    pub(crate) async fn landing(&self, settles_within: Duration, stalls_within: Duration) -> Landing<T> {
        let came = Instant::now();
        let mut is_prompt = true;
        loop {
            let mut changed = pin!(self.flight.changed.notified());
            // Registered before the state is read, so that no change in between is missed.
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
            // When the time is over, the state is read again.
            let _ = timeout(wait, changed).await;
            // A follower that is polled late cannot tell whether the leader stalls: the process is busy.
            is_prompt = asked.elapsed() < wait.saturating_add(patience / 4);
        }
    }

    /// How long the leader may be idle, and how long it has been idle while this follower waited. Earlier idleness does
    /// not count: the leader may have been woken after this follower, and be polled in a moment.
    fn patience(&self, stalls_within: Duration, came: Instant) -> (Duration, Duration) {
        let state = locked(&self.flight.state);
        let patience = stalls_within.saturating_mul(1 << state.stalled.min(DOUBLED));
        let idle_since = state.pulse.as_ref().and_then(|pulse| pulse.idle_since());
        (patience, idle_since.map_or(Duration::ZERO, |since| since.max(came).elapsed()))
    }

    /// Waits until the flight has ended, so that it is known whether a loaded value was stored.
    pub(crate) async fn ended(&self) {
        loop {
            let mut changed = pin!(self.flight.changed.notified());
            // Registered before the state is read, so that no change in between is missed.
            changed.as_mut().enable();
            if matches!(locked(&self.flight.state).progress, Progress::Ended(_)) {
                return;
            }
            changed.await;
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
            Progress::UnderWay | Progress::Loaded(..) if state.is_left => Some(Landing::Next(state.store_time)),
            Progress::UnderWay | Progress::Loaded(..) => None,
        }
    }
}
