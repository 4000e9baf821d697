//! The near cache: decoded values in this process, kept for as long as the store announces every change to them.
//!
//! [`capacity`] bounds it by weight. It keeps only values that were read from the store, not those that this process
//! has loaded itself, and only if the store has watched their registers (the entry's own and those of its tags) since
//! before the read. [`marks`] says why a change that overtakes the answer to the read is not missed.
//!
//! A value is served while all of this holds:
//!
//! - none of its registers has changed since, as far as this process was notified or has written itself;
//! - the store is in contact: within the heartbeat, it has confirmed that it has announced all changes so far;
//! - neither its time in the near cache nor its time in the store is over.
//!
//! # When contact is lost
//! Nothing that was kept is served, and calls go to the store. Sites with `on_gap = "serve"` continue to serve what
//! they have until its time is over.
//!
//! # On cancellation
//! A cancelled read keeps nothing.

mod capacity;
pub(crate) mod keep;
mod marks;
mod name;
pub(crate) mod slot;
mod stats;
mod waiters;

pub(crate) use name::{Name, NameRef, Words, may_be_words};
pub(crate) use stats::Counts;
pub use stats::{DropReason, NearStats};

use crate::clock::Clock;
use crate::key::Key;
use crate::store::Watcher;
use capacity::{Map, Weighed};
use marks::{Mark, Marks};
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use waiters::Waiters;

/// A shared value, of a type that its readers know; or a [`CachedNone`] or [`KeptError`].
pub(crate) type KeptValue = Arc<dyn Any + Send + Sync>;

/// What the near cache answers.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A value to be served.
    Value(KeptValue),
    /// It has a value that may be served, but is to be refreshed ahead of its end.
    Early,
    /// It has nothing that may be served.
    Nothing,
}

/// Stands for a cached `None`.
#[derive(Debug)]
pub(crate) struct CachedNone;

/// A kept error.
#[derive(Debug)]
pub(crate) struct KeptError(pub(crate) KeptValue);

/// The builder's settings.
#[derive(Debug, Clone)]
pub(crate) struct NearSettings {
    /// Default for functions without `local`; `None` turns the near cache off.
    pub(crate) time: Option<Duration>,
    /// In bytes.
    pub(crate) capacity: u64,
    /// How long a confirmation of the store is valid.
    pub(crate) heartbeat: Duration,
}

/// A value and how long it may be served. Small, because every hit clones it.
#[derive(Debug, Clone)]
struct NearEntry {
    value: KeptValue,
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
    /// On the heap, because few values have any.
    extras: Option<Arc<Extras>>,
}

#[derive(Debug)]
struct Extras {
    /// The tags that the value depends on.
    tags: Vec<(Key, Mark)>,
    /// When the value becomes stale, by the clock in nanoseconds, and how long its load took, in microseconds.
    refresh: Option<(u64, u32)>,
}

/// Counts what may have changed all registers at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Epoch {
    clears: u32,
    gaps: u32,
}

impl Weighed for NearEntry {
    fn weight(&self) -> u32 {
        self.terms.weight
    }
}

/// The state of a value's registers before it is read. The value is kept only if they are the same afterwards.
#[derive(Debug)]
pub(crate) struct Reservation {
    mark: Mark,
    tags: Vec<(Key, Mark)>,
    epoch: Epoch,
    /// When it was made, by the clock: the value's time counts from before the read.
    made: u64,
}

pub(crate) struct Near {
    map: Map<NearEntry>,
    marks: Marks,
    clears: AtomicU32,
    gaps: AtomicU32,
    /// Until when the last confirmation is valid, by the clock, in nanoseconds.
    contact_until: AtomicU64,
    heartbeat: Duration,
    clock: Clock,
    counts: Arc<Counts>,
    waiters: Waiters,
}

/// A caller that waits until a register changes. It misses no change since this was made.
#[derive(Debug)]
pub(crate) struct Waiter<'a> {
    near: &'a Near,
    key: &'a Key,
    changed: Arc<Notify>,
}

impl Waiter<'_> {
    /// Waits until the register has changed, or may have, since this was made.
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
        let counts = Arc::new(Counts::default());
        Self {
            map: capacity::map(settings.capacity, &counts),
            marks: Marks::new(),
            clears: AtomicU32::new(0),
            gaps: AtomicU32::new(0),
            contact_until: AtomicU64::new(0),
            heartbeat: settings.heartbeat,
            clock,
            counts,
            waiters: Waiters::default(),
        }
    }

    /// Watches for a change of the register from now on. A read of the register must ask the store to announce changes.
    pub(crate) fn waiter<'a>(&'a self, key: &'a Key) -> Waiter<'a> {
        Waiter { near: self, key, changed: self.waiters.add(key) }
    }

    fn epoch(&self) -> Epoch {
        Epoch { clears: self.clears.load(Ordering::SeqCst), gaps: self.gaps.load(Ordering::SeqCst) }
    }

    /// Whether the store announces all changes.
    pub(crate) fn is_coherent(&self) -> bool {
        self.is_in_contact(self.clock.coarse())
    }

    #[inline]
    fn is_in_contact(&self, now: u64) -> bool {
        now < self.contact_until.load(Ordering::SeqCst)
    }

    /// Looks up a value by its name and call tags. `through_gaps` is `on_gap = "serve"`. `is_early` decides whether the
    /// value is to be refreshed ahead of its end, from how long it is still fresh and how many microseconds its load
    /// took.
    ///
    /// `is_early` is asked only about a value that may still be served: one past its end would be early for ever. And
    /// only in contact, because otherwise nothing that is read could replace the value in here.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "one in twenty instructions of a near hit, counted")]
    pub(crate) fn get(
        &self,
        name: &NameRef<'_>,
        tags: &[Key],
        through_gaps: bool,
        is_early: impl FnOnce(Duration, u32) -> bool,
    ) -> Answer {
        // Borrowed, because to move it would take as long as to find it.
        let found = self.map.get(name);
        let Some(NearEntry { terms, .. }) = &found else { return Answer::Nothing };
        if !terms.has_tags(tags) {
            return Answer::Nothing;
        }
        let now = self.clock.coarse();
        match self.fault(terms, now, through_gaps) {
            None => {
                if let Some((end, load_time)) = terms.extras.as_ref().and_then(|extras| extras.refresh)
                    && is_early(Duration::from_nanos(end.saturating_sub(now)), load_time)
                    && self.is_in_contact(now)
                {
                    return Answer::Early;
                }
                found.map_or(Answer::Nothing, |NearEntry { value, .. }| Answer::Value(value))
            }
            // It stays: once there is contact again, it may be served if no change was missed.
            Some(Fault::NoContact) => Answer::Nothing,
            Some(Fault::Over(reason)) => {
                self.drop_over(name, terms, reason);
                Answer::Nothing
            }
        }
    }

    /// How long a value may still be served, and is fresh.
    pub(crate) fn left(&self, name: &NameRef<'_>) -> Option<Duration> {
        let NearEntry { terms, .. } = self.map.get(name)?;
        let refresh = terms.extras.as_ref().and_then(|extras| extras.refresh);
        let until = refresh.map_or(terms.until, |(end, _)| end.min(terms.until));
        Some(Duration::from_nanos(until.saturating_sub(self.clock.coarse())))
    }

    #[cold]
    fn drop_over(&self, name: &NameRef<'_>, terms: &Terms, reason: DropReason) {
        if self.map.remove_if(name, |now| now.terms.mark == terms.mark && now.terms.until == terms.until).is_some() {
            self.counts.dropped(reason, 1);
        }
    }

    /// Why a value may not be served.
    #[inline]
    fn fault(&self, terms: &Terms, now: u64, through_gaps: bool) -> Option<Fault> {
        let all_hold = |extras: &Arc<Extras>| extras.tags.iter().all(|(_, mark)| self.marks.holds(*mark));
        if now >= terms.until {
            return Some(Fault::Over(DropReason::Expired));
        }
        if !self.marks.holds(terms.mark) || !terms.extras.as_ref().is_none_or(all_hold) {
            return Some(Fault::Over(DropReason::Changed));
        }
        if terms.epoch.clears != self.clears.load(Ordering::SeqCst) {
            return Some(Fault::Over(DropReason::Cleared));
        }
        if !self.is_in_contact(now) {
            return (!through_gaps).then_some(Fault::NoContact);
        }
        (terms.epoch.gaps != self.gaps.load(Ordering::SeqCst)).then_some(Fault::Over(DropReason::Gap))
    }

    /// Must be called before the read of a value that depends on these registers. The value's own register comes first.
    pub(crate) fn reserve(&self, keys: &[Key]) -> Option<Reservation> {
        let epoch = self.epoch();
        let (key, tags) = keys.split_first()?;
        let tags = tags.iter().map(|tag| (Key::clone(tag), self.marks.of(tag))).collect();
        Some(Reservation { mark: self.marks.of(key), tags, epoch, made: self.clock.coarse() })
    }

    /// Keeps a value that was read after its reservation was made, unless a register has changed meanwhile.
    pub(crate) fn keep(&self, name: Name, reservation: Reservation, value: KeptValue, keeping: Keeping) {
        let Reservation { mark, tags, epoch, made } = reservation;
        if keeping.time.is_zero() {
            return;
        }
        let now = self.clock.coarse();
        let until = made.saturating_add(nanos(keeping.time));
        let weight = capacity::weight(keeping.bytes, tags.len());
        let refresh = keeping.fresh.filter(|(_, load_time)| *load_time > 0);
        let refresh = refresh.map(|(left, load_time)| (made.saturating_add(nanos(left)), load_time));
        let extras = (!tags.is_empty() || refresh.is_some()).then(|| Arc::new(Extras { tags, refresh }));
        let terms = Terms { until, mark, epoch, weight, extras };
        if self.fault(&terms, now, true).is_none() && epoch == self.epoch() {
            // Removed first, because the map would count a replaced value as evicted.
            self.map.remove(&name);
            self.map.insert(name, NearEntry { value, terms });
        } else {
            self.counts.overtaken();
        }
    }

    /// To be called when this process has written these registers: once the store has acknowledged it, or never will.
    pub(crate) fn wrote<'a>(&self, keys: impl IntoIterator<Item = &'a Key>) {
        keys.into_iter().for_each(|key| self.marks.change(key));
    }

    /// To be called when any register may have changed.
    pub(crate) fn clear(&self) {
        self.clears.fetch_add(1, Ordering::SeqCst);
        self.drop_all(DropReason::Cleared);
    }

    fn drop_all(&self, reason: DropReason) {
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
        self.clear();
        self.waiters.wake_all();
    }

    fn lost(&self) {
        self.contact_until.store(0, Ordering::SeqCst);
        self.gaps.fetch_add(1, Ordering::SeqCst);
        self.waiters.wake_all();
        // The values are dropped only when contact is back, because sites that serve through gaps still need them.
    }

    fn regained(&self) {
        self.gaps.fetch_add(1, Ordering::SeqCst);
        self.drop_all(DropReason::Gap);
    }

    fn confirmed(&self, asked: Instant) {
        // `now` is read first: if the process is stopped in between, the confirmation is valid for less time, not for
        // more.
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
    /// It will never be served again.
    Over(DropReason),
    /// It may be served again once there is contact.
    NoContact,
}

/// How a value is to be kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keeping {
    /// How long at most.
    pub(crate) time: Duration,
    /// The size of the key and of the encoded value.
    pub(crate) bytes: usize,
    /// How long the value is fresh, and how many microseconds its load took.
    pub(crate) fresh: Option<(Duration, u32)>,
}

impl Terms {
    /// Whether the value has these call tags, which are its first ones; the value tags follow.
    #[inline]
    fn has_tags(&self, call_tags: &[Key]) -> bool {
        match self.extras.as_deref().map(|extras| &extras.tags) {
            None => call_tags.is_empty(),
            Some(tags) => {
                call_tags.len() <= tags.len() && call_tags.iter().zip(tags).all(|(call_tag, (tag, _))| call_tag == tag)
            }
        }
    }
}

impl Reservation {
    /// Adds the registers of tags; must be called before they are read.
    pub(crate) fn extend(&mut self, near: &Near, tags: &[Key]) {
        self.tags.extend(tags.iter().map(|tag| (Key::clone(tag), near.marks.of(tag))));
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
