//! The near cache: values in this process, decoded, for as long as the store tells of every change to them.
//!
//! Bounded by weight: what exceeds the bound is evicted, least useful first (S3-FIFO, by `quick_cache`). A value is kept only
//! if the store watches its registers (the entry's own and those of its tags) from before it was read; see [`marks`] for how
//! a change that overtakes the answer is not missed. What this process has loaded itself is not kept: only what was read.
//!
//! A value is served while all of this is so:
//!
//! - none of its registers has changed since, as far as this process was told or has itself written;
//! - the store is in contact: it has confirmed within the heartbeat that all changes so far have been told;
//! - neither its time in the near cache nor its time in the store is over.
//!
//! # When contact is lost
//! All that was kept is as good as gone, and calls go to the store. Sites with `on_gap = "serve"` go on with what they have, for
//! the rest of its time.
//!
//! # On cancellation
//! A read that is given up keeps nothing.

pub(crate) mod keep;
mod marks;
mod name;
pub(crate) mod slot;
mod stats;
mod waiters;

pub(crate) use name::{Asked, Name, Words, may_be_words};
pub(crate) use stats::Counts;
pub use stats::{DropReason, NearStats};

use crate::clock::Clock;
use crate::key::Key;
use crate::store::Watcher;
use marks::{Mark, Marks};
use quick_cache::sync::{Cache as Map, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Lifecycle, Weighter};
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use waiters::Waiters;

/// What an entry costs beside its key and value: the map's own fields, reference counts, marks.
const ENTRY_OVERHEAD: u64 = 192;
/// What each of its tags costs.
const TAG_OVERHEAD: u64 = 96;

/// A value as it is kept: shared, and of a type that its readers know, or [`Nothing`].
pub(crate) type Kept = Arc<dyn Any + Send + Sync>;

/// What a look into the near cache finds.
#[derive(Debug)]
pub(crate) enum Answer {
    /// To be served.
    Value(Kept),
    /// A value that may be served, and is to be renewed ahead of its end.
    Early,
    /// Nothing that may be served.
    Nothing,
}

/// Stands for a `None` that was cached.
#[derive(Debug)]
pub(crate) struct Nothing;

/// What the builder decided.
#[derive(Debug, Clone)]
pub(crate) struct NearSettings {
    /// Of functions that say nothing of their own; `None`: off.
    pub(crate) time: Option<Duration>,
    /// In bytes.
    pub(crate) capacity: u64,
    /// For how long a confirmation of the store is good.
    pub(crate) heartbeat: Duration,
}

/// Cloned for every hit, so it is kept small.
#[derive(Debug, Clone)]
struct Held {
    value: Kept,
    terms: Terms,
}

/// For how long a value may be served.
#[derive(Debug, Clone)]
struct Terms {
    /// By the clock, in nanoseconds.
    until: u64,
    mark: Mark,
    epoch: Epoch,
    weight: u32,
    /// What few have.
    more: Option<Arc<More>>,
}

#[derive(Debug)]
struct More {
    /// The tags that it depends on.
    tags: Vec<(Key, Mark)>,
    /// When it is stale, by the clock in nanoseconds, and how long it took to load, in microseconds.
    renewal: Option<(u64, u32)>,
}

/// Changes of all registers at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Epoch {
    flushes: u32,
    gaps: u32,
}

#[derive(Debug, Clone)]
struct Weight;

impl Weighter<Name, Held> for Weight {
    fn weight(&self, _: &Name, held: &Held) -> u64 {
        u64::from(held.terms.weight)
    }
}

/// Counts evictions.
#[derive(Debug, Clone)]
struct Evictions(Arc<Counts>);

impl Lifecycle<Name, Held> for Evictions {
    type RequestState = <DefaultLifecycle<Name, Held> as Lifecycle<Name, Held>>::RequestState;

    fn on_evict(&self, _: &mut Self::RequestState, _: Name, _: Held) {
        self.0.dropped(DropReason::Evicted, 1);
    }
}

/// What a value that is about to be read has to outlive, from before it is read.
#[derive(Debug)]
pub(crate) struct Reservation {
    mark: Mark,
    tags: Vec<(Key, Mark)>,
    epoch: Epoch,
    /// When it was made, by the clock: the value's time is counted from before it was read.
    made: u64,
}

pub(crate) struct Near {
    map: Map<Name, Held, Weight, DefaultHashBuilder, Evictions>,
    marks: Marks,
    flushes: AtomicU32,
    gaps: AtomicU32,
    /// Until when the last confirmation is good, by the clock, in nanoseconds.
    contact_until: AtomicU64,
    heartbeat: Duration,
    clock: Clock,
    counts: Arc<Counts>,
    waiters: Waiters,
}

/// Somebody who waits until a register changes, from when this is made.
#[derive(Debug)]
pub(crate) struct Waiter<'a> {
    near: &'a Near,
    key: &'a Key,
    changed: Arc<Notify>,
}

impl Waiter<'_> {
    /// Waits until the register has changed since this was made, or may have.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.near.waiters.remove(self.key, &self.changed);
    }
}

impl fmt::Debug for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Near").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Near {
    pub(crate) fn new(settings: &NearSettings, clock: Clock) -> Self {
        // An estimate that only sizes the queues; the weight is what bounds the map.
        let entries = usize::try_from(settings.capacity / 1024).unwrap_or(usize::MAX).clamp(16, 1 << 20);
        let counts = Arc::new(Counts::default());
        let evictions = Evictions(Arc::clone(&counts));
        Self {
            map: Map::with(entries, settings.capacity, Weight, DefaultHashBuilder::default(), evictions),
            marks: Marks::new(),
            flushes: AtomicU32::new(0),
            gaps: AtomicU32::new(0),
            contact_until: AtomicU64::new(0),
            heartbeat: settings.heartbeat,
            clock,
            counts,
            waiters: Waiters::default(),
        }
    }

    /// Waits from now on until the register changes. It has to be read as a watched one then.
    pub(crate) fn waiter<'a>(&'a self, key: &'a Key) -> Waiter<'a> {
        Waiter { near: self, key, changed: self.waiters.add(key) }
    }

    fn epoch(&self) -> Epoch {
        Epoch { flushes: self.flushes.load(Ordering::SeqCst), gaps: self.gaps.load(Ordering::SeqCst) }
    }

    /// Whether the store tells of all changes.
    pub(crate) fn is_coherent(&self) -> bool {
        self.is_in_contact(self.clock.coarse())
    }

    #[inline]
    fn is_in_contact(&self, now: u64) -> bool {
        now < self.contact_until.load(Ordering::SeqCst)
    }

    /// What is kept under this name for these tags. `through_gaps` is `on_gap = "serve"`. `is_early` is told how long the
    /// value is fresh and how many microseconds its load took, and says whether it is to be renewed ahead of its end.
    ///
    /// Only a value that may still be served is judged: one whose time is over has nothing left of it, and would be early
    /// for ever. And only while there is contact: without it nothing that is read could take the value's place in here.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "one in twenty instructions of a near hit, counted")]
    pub(crate) fn get(
        &self,
        asked: &Asked<'_>,
        tags: &[Key],
        through_gaps: bool,
        is_early: impl FnOnce(Duration, u32) -> bool,
    ) -> Answer {
        // Looked at where it stands: to move it would take as long as to find it.
        let found = self.map.get(asked);
        let Some(Held { terms, .. }) = &found else { return Answer::Nothing };
        if !terms.has_tags(tags) {
            return Answer::Nothing;
        }
        let now = self.clock.coarse();
        match self.fault(terms, now, through_gaps) {
            None => {
                if let Some((end, load_time)) = terms.more.as_ref().and_then(|more| more.renewal)
                    && is_early(Duration::from_nanos(end.saturating_sub(now)), load_time)
                    && self.is_in_contact(now)
                {
                    return Answer::Early;
                }
                found.map_or(Answer::Nothing, |Held { value, .. }| Answer::Value(value))
            }
            // What cannot be served while there is no contact may be after it, if nothing was missed.
            Some(Fault::NoContact) => Answer::Nothing,
            Some(Fault::Over(reason)) => {
                self.drop_over(asked, terms, reason);
                Answer::Nothing
            }
        }
    }

    #[cold]
    fn drop_over(&self, asked: &Asked<'_>, terms: &Terms, reason: DropReason) {
        if self.map.remove_if(asked, |now| now.terms.mark == terms.mark && now.terms.until == terms.until).is_some() {
            self.counts.dropped(reason, 1);
        }
    }

    /// Why a value may not be served.
    #[inline]
    fn fault(&self, terms: &Terms, now: u64, through_gaps: bool) -> Option<Fault> {
        let all_hold = |more: &Arc<More>| more.tags.iter().all(|(_, mark)| self.marks.holds(*mark));
        if now >= terms.until {
            return Some(Fault::Over(DropReason::Expired));
        }
        if !self.marks.holds(terms.mark) || !terms.more.as_ref().is_none_or(all_hold) {
            return Some(Fault::Over(DropReason::Changed));
        }
        if terms.epoch.flushes != self.flushes.load(Ordering::SeqCst) {
            return Some(Fault::Over(DropReason::Flushed));
        }
        if !self.is_in_contact(now) {
            return (!through_gaps).then_some(Fault::NoContact);
        }
        (terms.epoch.gaps != self.gaps.load(Ordering::SeqCst)).then_some(Fault::Over(DropReason::Gap))
    }

    /// To be called before a value is read that depends on these registers, its own first.
    pub(crate) fn reserve(&self, keys: &[Key]) -> Option<Reservation> {
        let epoch = self.epoch();
        let (key, tags) = keys.split_first()?;
        let tags = tags.iter().map(|tag| (Key::clone(tag), self.marks.of(tag))).collect();
        Some(Reservation { mark: self.marks.of(key), tags, epoch, made: self.clock.coarse() })
    }

    /// Keeps a value that was read after its reservation, for so long at most.
    pub(crate) fn keep(&self, name: Name, reservation: Reservation, value: Kept, kept: Keeping) {
        let Reservation { mark, tags, epoch, made } = reservation;
        if kept.time.is_zero() {
            return;
        }
        let now = self.clock.coarse();
        let until = made.saturating_add(nanos(kept.time));
        let weight = kept.bytes as u64 + ENTRY_OVERHEAD + TAG_OVERHEAD * tags.len() as u64;
        let weight = u32::try_from(weight).unwrap_or(u32::MAX);
        let renewal = kept.fresh.filter(|(_, load_time)| *load_time > 0);
        let renewal = renewal.map(|(left, load_time)| (made.saturating_add(nanos(left)), load_time));
        let more = (!tags.is_empty() || renewal.is_some()).then(|| Arc::new(More { tags, renewal }));
        let terms = Terms { until, mark, epoch, weight, more };
        if self.fault(&terms, now, true).is_none() && epoch == self.epoch() {
            // The map takes a value that another replaces for one that there was no room for.
            self.map.remove(&name);
            self.map.insert(name, Held { value, terms });
        } else {
            self.counts.overtaken();
        }
    }

    /// This process has written these registers, and the store has acknowledged it (or never will).
    pub(crate) fn wrote<'a>(&self, keys: impl IntoIterator<Item = &'a Key>) {
        keys.into_iter().for_each(|key| self.marks.change(key));
    }

    /// Any register may have changed.
    pub(crate) fn flush(&self) {
        self.flushes.fetch_add(1, Ordering::SeqCst);
        self.clear(DropReason::Flushed);
    }

    fn clear(&self, reason: DropReason) {
        let dropped = self.map.len() as u64;
        self.map.clear();
        self.counts.dropped(reason, dropped);
    }

    pub(crate) fn stats(&self) -> NearStats {
        self.counts.snapshot(self.is_coherent(), self.map.len() as u64, self.map.weight(), self.map.capacity())
    }
}

impl Watcher for Near {
    fn changed(&self, key: &str) {
        self.marks.change(key);
        self.waiters.wake(key);
    }

    fn all_changed(&self) {
        self.flush();
        self.waiters.wake_all();
    }

    fn lost(&self) {
        self.contact_until.store(0, Ordering::SeqCst);
        self.gaps.fetch_add(1, Ordering::SeqCst);
        self.waiters.wake_all();
        // Sites that serve through gaps still have a use for theirs: all are dropped when contact is back.
    }

    fn regained(&self) {
        self.gaps.fetch_add(1, Ordering::SeqCst);
        self.clear(DropReason::Gap);
    }

    fn confirmed(&self, asked: Instant) {
        // In this order: should the process stand still in between, the confirmation is good for less time, not for more.
        let now = self.clock.coarse();
        let until = now.saturating_add(nanos(self.heartbeat)).saturating_sub(nanos(asked.elapsed()));
        self.contact_until.fetch_max(until, Ordering::SeqCst);
    }

    fn heartbeat(&self) -> Duration {
        self.heartbeat
    }
}

/// Why a value may not be served.
#[derive(Debug)]
enum Fault {
    /// Never again.
    Over(DropReason),
    /// Not now.
    NoContact,
}

/// How a value is to be kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keeping {
    /// At most.
    pub(crate) time: Duration,
    /// Of the key and the encoded value.
    pub(crate) bytes: usize,
    /// How long it is fresh, and how long it took to load.
    pub(crate) fresh: Option<(Duration, u32)>,
}

impl Terms {
    /// Whether these are the tags that it depends on, as far as its caller tells them.
    #[inline]
    fn has_tags(&self, told: &[Key]) -> bool {
        match self.more.as_deref().map(|more| &more.tags) {
            None => told.is_empty(),
            Some(tags) => told.len() <= tags.len() && told.iter().zip(tags.iter()).all(|(told, (tag, _))| told == tag),
        }
    }
}

impl Reservation {
    /// Adds registers; to be called before they are read.
    pub(crate) fn extend(&mut self, near: &Near, tags: &[Key]) {
        self.tags.extend(tags.iter().map(|tag| (Key::clone(tag), near.marks.of(tag))));
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
