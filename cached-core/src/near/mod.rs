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
mod stats;

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
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What an entry costs beside its key and value: the map's own fields, reference counts, marks.
const ENTRY_OVERHEAD: u64 = 192;
/// How often contact is confirmed within the time for which a confirmation is good.
pub(crate) const BEATS: u32 = 2;

/// A value as it is kept: shared, and of a type that its readers know.
pub(crate) type Kept = Arc<dyn Any + Send + Sync>;

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

#[derive(Debug, Clone)]
struct Held {
    /// `None` stands for a `None` that was cached.
    value: Option<Kept>,
    /// Of the type and site; another's is none.
    fingerprint: u64,
    /// By the clock, in nanoseconds.
    until: u64,
    mark: Mark,
    epoch: Epoch,
    /// Of the tags that it depends on.
    tags: Option<Arc<[(Key, Mark)]>>,
    weight: u32,
}

/// Changes of all registers at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Epoch {
    flushes: u64,
    gaps: u64,
}

#[derive(Debug, Clone)]
struct Weight;

impl Weighter<Key, Held> for Weight {
    fn weight(&self, _: &Key, held: &Held) -> u64 {
        u64::from(held.weight)
    }
}

/// Counts evictions.
#[derive(Debug, Clone)]
struct Evictions(Arc<Counts>);

impl Lifecycle<Key, Held> for Evictions {
    type RequestState = <DefaultLifecycle<Key, Held> as Lifecycle<Key, Held>>::RequestState;

    fn on_evict(&self, _: &mut Self::RequestState, _: Key, _: Held) {
        self.0.dropped(DropReason::Evicted, 1);
    }
}

/// What a value that is about to be read has to outlive, from before it is read.
#[derive(Debug)]
pub(crate) struct Reservation {
    mark: Mark,
    tags: Vec<(Key, Mark)>,
    epoch: Epoch,
}

pub(crate) struct Near {
    map: Map<Key, Held, Weight, DefaultHashBuilder, Evictions>,
    marks: Marks,
    flushes: AtomicU64,
    gaps: AtomicU64,
    /// Until when the last confirmation is good, by the clock, in nanoseconds.
    contact_until: AtomicU64,
    heartbeat: Duration,
    clock: Clock,
    counts: Arc<Counts>,
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
            flushes: AtomicU64::new(0),
            gaps: AtomicU64::new(0),
            contact_until: AtomicU64::new(0),
            heartbeat: settings.heartbeat,
            clock,
            counts,
        }
    }

    fn epoch(&self) -> Epoch {
        Epoch { flushes: self.flushes.load(Ordering::SeqCst), gaps: self.gaps.load(Ordering::SeqCst) }
    }

    /// Whether the store tells of all changes.
    pub(crate) fn is_coherent(&self) -> bool {
        self.is_in_contact(self.clock.coarse())
    }

    fn is_in_contact(&self, now: u64) -> bool {
        now < self.contact_until.load(Ordering::SeqCst)
    }

    /// The value that is kept under `key` for this fingerprint and these tags, if it may be served. `through_gaps` is `on_gap =
    /// "serve"`.
    pub(crate) fn get(&self, key: &str, fingerprint: u64, tags: &[Key], through_gaps: bool) -> Option<Option<Kept>> {
        let held = self.map.get(key)?;
        if held.fingerprint != fingerprint || !held.has_tags(tags) {
            return None;
        }
        let now = self.clock.coarse();
        if let Some(reason) = self.fault(&held, now, through_gaps) {
            // What cannot be served before contact is back may be served after it, if there was no gap.
            if let Some(reason) = reason {
                self.drop_if(key, held.mark, reason);
            }
            return None;
        }
        Some(held.value)
    }

    /// Why a value may not be served, and is to be dropped if there is a reason to be counted.
    fn fault(&self, held: &Held, now: u64, through_gaps: bool) -> Option<Option<DropReason>> {
        if now >= held.until {
            return Some(Some(DropReason::Expired));
        }
        if held.epoch.flushes != self.flushes.load(Ordering::SeqCst) {
            return Some(Some(DropReason::Flushed));
        }
        if !self.marks.holds(held.mark)
            || held.tags.iter().flat_map(|tags| tags.iter()).any(|(_, mark)| !self.marks.holds(*mark))
        {
            return Some(Some(DropReason::Changed));
        }
        if !self.is_in_contact(now) {
            return (!through_gaps).then_some(None);
        }
        (held.epoch.gaps != self.gaps.load(Ordering::SeqCst)).then_some(Some(DropReason::Gap))
    }

    fn drop_if(&self, key: &str, mark: Mark, reason: DropReason) {
        if self.map.remove_if(key, |held| held.mark == mark).is_some() {
            self.counts.dropped(reason, 1);
        }
    }

    /// To be called before a value is read that depends on these registers, its own first.
    pub(crate) fn reserve(&self, keys: &[Key]) -> Option<Reservation> {
        let epoch = self.epoch();
        let (key, tags) = keys.split_first()?;
        let tags = tags.iter().map(|tag| (Key::clone(tag), self.marks.of(tag))).collect();
        Some(Reservation { mark: self.marks.of(key), tags, epoch })
    }

    /// Keeps a value that was read after its reservation, for so long at most.
    pub(crate) fn keep(
        &self,
        key: &Key,
        reservation: Reservation,
        value: Option<Kept>,
        fingerprint: u64,
        kept: Keeping,
    ) {
        let Reservation { mark, tags, epoch } = reservation;
        let now = self.clock.coarse();
        let until = now.saturating_add(nanos(kept.time));
        let weight = key.len() as u64 + kept.bytes as u64 + ENTRY_OVERHEAD + 96 * tags.len() as u64;
        let tags = (!tags.is_empty()).then(|| tags.into());
        let weight = u32::try_from(weight).unwrap_or(u32::MAX);
        let held = Held { value, fingerprint, until, mark, epoch, tags, weight };
        if self.fault(&held, now, true).is_none() && epoch == self.epoch() {
            self.map.insert(Key::clone(key), held);
        } else {
            self.counts.overtaken();
        }
    }

    /// This process has written these registers, and the store has acknowledged it (or never will).
    pub(crate) fn wrote<'a>(&self, keys: impl IntoIterator<Item = &'a Key>) {
        for key in keys {
            self.change(key, DropReason::Written);
        }
    }

    fn change(&self, key: &str, reason: DropReason) {
        self.marks.change(key);
        if self.map.remove(key).is_some() {
            self.counts.dropped(reason, 1);
        }
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
        self.change(key, DropReason::Changed);
    }

    fn all_changed(&self) {
        self.flush();
    }

    fn lost(&self) {
        self.contact_until.store(0, Ordering::SeqCst);
        self.gaps.fetch_add(1, Ordering::SeqCst);
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

/// How a value is to be kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keeping {
    /// At most.
    pub(crate) time: Duration,
    /// Of the encoded value.
    pub(crate) bytes: usize,
}

impl Held {
    /// Whether these are the tags that it depends on, as far as its caller tells them.
    fn has_tags(&self, told: &[Key]) -> bool {
        match &self.tags {
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
