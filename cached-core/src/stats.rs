//! Statistics, counted per annotated function.
//!
//! Every call ends in exactly one of five ways, so `calls = near_hits + hits + coalesced + loads + unserved`: it is
//! served from the near cache, from the store, by another caller's load in this process, by its own load, or
//! (`Entry::get`, which cannot load) not at all.

use crate::breaker::BreakerState;
use crate::counter::{ByReason, Counter};
use crate::invalidation::Outcome;
use crate::near::NearStats;
use crate::reason::{MissReason, UnstoredReason};
use crate::site::Role;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// The narrowest column of names in the text of [`Stats`].
const NAME_WIDTH: usize = 24;

/// The live counters of one site in one cache.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) batches: Counter,
    pub(crate) hits: Counter,
    pub(crate) coalesced: Counter,
    pub(crate) loads: Counter,
    pub(crate) unserved: Counter,
    pub(crate) load_errors: Counter,
    pub(crate) lease_waits: Counter,
    pub(crate) bypassed: Counter,
    pub(crate) stored: Counter,
    pub(crate) stale: Counter,
    pub(crate) refreshes: Counter,
    applied: Counter,
    queued: Counter,
    failed: Counter,
    pub(crate) cancelled: Counter,
    pub(crate) refused: Counter,
    pub(crate) unbracketed: Counter,
    pub(crate) bytes_read: Counter,
    pub(crate) bytes_written: Counter,
    misses: ByReason<MissReason>,
    unstored: ByReason<UnstoredReason>,
}

impl Counters {
    pub(crate) fn miss(&self, reason: MissReason) {
        self.misses.of(reason).one();
    }

    /// How many calls have missed for this reason.
    pub(crate) fn missed(&self, reason: MissReason) -> u64 {
        self.misses.of(reason).get()
    }

    /// Counts the outcome of a write's invalidation.
    pub(crate) fn written(&self, outcome: Outcome) {
        match outcome {
            Outcome::Applied => self.applied.one(),
            Outcome::Queued => self.queued.one(),
            Outcome::Failed => self.failed.one(),
        }
    }

    pub(crate) fn unstored(&self, reason: UnstoredReason) {
        self.unstored.of(reason).one();
    }

    pub(crate) fn snapshot(&self, site: &crate::site::Site, near_hits: u64) -> SiteStats {
        SiteStats {
            site: site.name().to_owned(),
            path: site.path().to_owned(),
            file_line: (site.spec().file, site.spec().line),
            role: site.spec().role,
            key: site.template_text(),
            place: site.place(),
            batches: self.batches.get(),
            near_hits,
            hits: self.hits.get(),
            coalesced: self.coalesced.get(),
            loads: self.loads.get(),
            unserved: self.unserved.get(),
            load_errors: self.load_errors.get(),
            lease_waits: self.lease_waits.get(),
            bypassed: self.bypassed.get(),
            stored: self.stored.get(),
            stale: self.stale.get(),
            refreshes: self.refreshes.get(),
            applied: self.applied.get(),
            queued: self.queued.get(),
            failed: self.failed.get(),
            cancelled: self.cancelled.get(),
            refused: self.refused.get(),
            unbracketed: self.unbracketed.get(),
            bytes_read: self.bytes_read.get(),
            bytes_written: self.bytes_written.get(),
            misses: self.misses.nonzero(),
            unstored: self.unstored.nonzero(),
        }
    }
}

/// The statistics of one annotated function in one cache, since the cache was built.
///
/// Every call ends in exactly one of five ways: `calls() = near_hits + hits + coalesced + loads + unserved`. Serializes
/// to a map of its fields. Only this crate can create one.
///
/// ```
/// use cached_core::{Cache, MissReason};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let cache = Cache::memory();
/// for _ in 0..2 {
///     cache.entry("answer").get_or_load(|| async { Ok::<u64, ()>(42) }).await.unwrap();
///     cache.flush().await;
/// }
/// let stats = cache.stats();
/// let site = stats.site("Cache::entry").unwrap();
/// assert_eq!((site.calls(), site.hits, site.loads), (2, 1, 1));
/// assert_eq!(site.misses[&MissReason::Absent], 1);
/// # }
/// ```
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SiteStats {
    /// The function's name.
    pub site: String,
    /// The function's path, with the type and trait of a method, which tells it apart from others of its name:
    /// `shop::users::Repo<_>::find`, `<shop::users::Repo as shop::users::Users>::find`.
    pub path: String,
    /// The function's file and line, for sorting.
    #[serde(skip)]
    pub(crate) file_line: (&'static str, u32),
    /// What the function does to the cache.
    #[serde(skip)]
    pub(crate) role: Role,
    /// The function's key template.
    pub key: String,
    /// The function's place in the source: `src/users.rs:12`.
    pub place: String,
    /// Calls for many ids at once: `batch = ids`. The other counters count each distinct id as a call.
    pub batches: u64,
    /// Calls answered by the near cache.
    pub near_hits: u64,
    /// Calls answered by a stored value.
    pub hits: u64,
    /// Calls answered by another caller's load in this process.
    pub coalesced: u64,
    /// Calls that ran the function's body, bypassed ones included.
    pub loads: u64,
    /// Calls that found nothing and had no function to run: those of `Entry::get`.
    pub unserved: u64,
    /// Loads that returned an `Err`, without those that `error_if` chose: these are answers, which later calls hit.
    pub load_errors: u64,
    /// Waits for a load in another process.
    pub lease_waits: u64,
    /// Loads without the store: it was out of reach, a write was in progress, the function called itself, a wait had
    /// ended, or the caller wanted it so ([`bypass`](crate::bypass)).
    pub bypassed: u64,
    /// Values stored.
    pub stored: u64,
    /// Calls answered by a value past its end. They are among the hits, or among the loads if their own load failed or
    /// took longer than `load_timeout`.
    pub stale: u64,
    /// Loads that refreshed a value, before or after its end or by force: by a call, which is among the loads, or in the
    /// background, which is no call.
    pub refreshes: u64,
    /// Writes whose invalidation was applied before they returned.
    pub applied: u64,
    /// Writes whose invalidation was queued.
    pub queued: u64,
    /// Writes whose invalidation could not be rendered, or was made outside of a tokio runtime; and calls of
    /// `Entry::remove` that the store did not carry out.
    pub failed: u64,
    /// Writes that were dropped before they had ended. They invalidate all the same.
    pub cancelled: u64,
    /// Writes that were refused because their bracket could not begin: `on_unavailable = "fail"`.
    pub refused: u64,
    /// Writes that went ahead although their bracket could not begin. They are also counted by how they ended.
    pub unbracketed: u64,
    /// Bytes of the values read. A value that several callers share counts once.
    pub bytes_read: u64,
    /// Bytes of registers stored.
    pub bytes_written: u64,
    /// Reads that found no usable value, by reason. One call can miss more than once.
    pub misses: BTreeMap<MissReason, u64>,
    /// Loaded values that were not stored, by reason.
    pub unstored: BTreeMap<UnstoredReason, u64>,
}

impl SiteStats {
    /// Whether the function was called.
    fn is_used(&self) -> bool {
        self.calls() + self.batches + self.writes() + self.refused + self.stored > 0
    }

    /// Adds the counters of another row.
    pub(crate) fn add(&mut self, other: &Self) {
        macro_rules! add {
            ($($counter:ident)*) => {
                $(self.$counter += other.$counter;)*
            };
        }
        add! {
            batches near_hits hits coalesced loads unserved load_errors lease_waits bypassed stored stale refreshes
            applied queued failed cancelled refused unbracketed bytes_read bytes_written
        }
        other.misses.iter().for_each(|(reason, count)| *self.misses.entry(*reason).or_default() += count);
        other.unstored.iter().for_each(|(reason, count)| *self.unstored.entry(*reason).or_default() += count);
    }

    /// All writes, except for those that are under way or were refused. Writes by `Entry::set` invalidate nothing; they
    /// are only stored.
    fn writes(&self) -> u64 {
        let invalidated = self.applied + self.queued + self.failed + self.cancelled;
        if self.role == Role::Put { invalidated.max(self.stored) } else { invalidated }
    }

    /// Writes the function's line in the text of [`Stats`], under this name of at most so many characters.
    fn write_line(&self, name: &str, width: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{name:<width$} ")?;
        if self.role == Role::Read && self.calls() == 0 {
            // An entry by hand that was only stored.
            write!(f, "{:>8} stored", self.stored)?;
        } else if self.role == Role::Read {
            let (calls, hits) = (self.calls(), 100.0 * self.hit_ratio());
            write!(f, "{calls:>8} calls   {hits:>6.1} % hits  {:>6} loads   ", self.loads)?;
            write!(f, "{:>6} coalesced  {:>6} bypassed", self.coalesced, self.bypassed)?;
        } else {
            write!(f, "{:>8} writes  {:>6} applied  {:>6} queued  ", self.writes(), self.applied, self.queued)?;
            write!(f, "{:>6} stored     {:>6} refused", self.stored, self.refused)?;
            if self.failed > 0 {
                write!(f, "   {:>6} failed", self.failed)?;
            }
        }
        let unstored: u64 = self.unstored.values().sum();
        if unstored == 0 {
            return Ok(());
        }
        write!(f, "  {unstored:>6} not stored:")?;
        self.unstored.iter().try_for_each(|(reason, count)| write!(f, " {reason:?} {count}"))
    }

    /// All calls.
    ///
    /// ```
    /// # fn log(site: &cached_core::SiteStats) {
    /// println!("{}: {} calls", site.site, site.calls());
    /// # }
    /// ```
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.near_hits + self.hits + self.coalesced + self.loads + self.unserved
    }

    /// The fraction of calls that a stored value or another caller's load answered, from 0 to 1; 0 if there was no
    /// call.
    ///
    /// ```
    /// # fn log(site: &cached_core::SiteStats) {
    /// println!("{}: {:.1} % hits", site.site, 100.0 * site.hit_ratio());
    /// # }
    /// ```
    #[must_use]
    pub fn hit_ratio(&self) -> f64 {
        match self.calls() {
            0 => 0.0,
            calls => (self.near_hits + self.hits + self.coalesced) as f64 / calls as f64,
        }
    }
}

/// The statistics of a cache since it was built: [`Cache::stats`](crate::Cache::stats).
///
/// Displays as one line for each function that was called, in columns: how its calls were answered, or what became of
/// its writes. Serialize it for a metrics endpoint.
///
/// ```
/// let stats = cached_core::Cache::memory().stats();
/// assert_eq!(stats.to_string(), "store memory, breaker closed");
/// ```
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// `"redis"`, `"memory"`, or the name of a store of your own.
    pub store: &'static str,
    /// Whether the store is in use.
    pub breaker: BreakerState,
    /// Registers whose invalidation is queued; 1 for the whole namespace, see [`sweeping`](Self::sweeping).
    pub pending: usize,
    /// Whether the queue has overflowed. Then the whole namespace is to be removed, and until it is, this process does
    /// not use the cache.
    pub sweeping: bool,
    /// Whether the cache is shut down: [`Cache::shutdown`](crate::Cache::shutdown).
    pub shut_down: bool,
    /// The near cache; `None` if no function that was called uses it.
    pub near: Option<NearStats>,
    /// All annotated functions, sorted by place; and entries by hand under their names, `Cache::entry` if they
    /// have none, once one of their verbs was called.
    pub sites: Vec<SiteStats>,
}

impl Stats {
    /// The statistics of the function with that name, path or end of its path: `"find"`, `"Repo<_>::find"`. If there
    /// are several, it is the first that was called; if none was called, the first in the source.
    ///
    /// ```
    /// let stats = cached_core::Cache::memory().stats();
    /// assert!(stats.site("no_such_function").is_none());
    /// ```
    #[must_use]
    pub fn site(&self, name: &str) -> Option<&SiteStats> {
        let is_named = |site: &&SiteStats| {
            site.site == name
                || site.path.strip_suffix(name).is_some_and(|outer| outer.is_empty() || outer.ends_with("::"))
        };
        let mut named = self.sites.iter().filter(is_named);
        named.clone().find(|site| site.is_used()).or_else(|| named.next())
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "store {}, breaker {}", self.store, self.breaker)?;
        if self.shut_down {
            f.write_str(", shut down")?;
        }
        if self.pending > 0 {
            let what = if self.sweeping { "the whole namespace" } else { "registers" };
            write!(f, ", {} waiting to be invalidated: {what}", self.pending)?;
        }
        let used = || self.sites.iter().filter(|site| site.is_used());
        let name = |site: &SiteStats| {
            let is_ambiguous = used().filter(|other| other.site == site.site).count() > 1;
            if is_ambiguous { site.path.clone() } else { site.site.clone() }
        };
        let lines: Vec<_> = used().map(|site| (name(site), site)).collect();
        let width = lines.iter().map(|(name, _)| name.chars().count()).fold(NAME_WIDTH, usize::max);
        lines.into_iter().try_for_each(|(name, site)| site.write_line(&name, width, f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{Site, SiteSpec};

    fn site(name: &'static str, role: Role, count: impl FnOnce(&Counters)) -> SiteStats {
        let counters = Counters::default();
        count(&counters);
        counters.snapshot(&Site::new(SiteSpec { name, role, ..SiteSpec::DEFAULT }), 0)
    }

    #[test]
    fn the_text_is_a_table_whatever_the_names_and_numbers() {
        let long = "the_function_with_the_longest_name_of_all";
        let stats = Stats {
            store: "memory",
            breaker: BreakerState::Closed,
            pending: 2,
            sweeping: false,
            shut_down: true,
            near: None,
            sites: vec![
                site("find", Role::Read, |counters| counters.hits.add(3)),
                site(long, Role::Read, |counters| {
                    counters.hits.add(1);
                    counters.loads.add(7);
                }),
                site("save", Role::Put, |counters| {
                    counters.stored.add(4);
                    counters.written(Outcome::Applied);
                    counters.written(Outcome::Failed);
                }),
                site("never_called", Role::Read, |_| ()),
            ],
        };
        let text = stats.to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "store memory, breaker closed, shut down, 2 waiting to be invalidated: registers");
        assert_eq!(
            lines[1..],
            [
                "find                                             3 calls    100.0 % hits       0 loads        0 coalesced       0 bypassed",
                "the_function_with_the_longest_name_of_all        8 calls     12.5 % hits       7 loads        0 coalesced       0 bypassed",
                "save                                             4 writes       1 applied       0 queued       4 stored          0 refused        1 failed",
            ],
            "{text}"
        );
    }
}
