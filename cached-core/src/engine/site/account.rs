//! Accounts for the outcome of each call: counts it, emits a debug event of the target [`CALLS`], notes it for callers
//! who want to know ([`record`]), and passes it on to [`notices`](super::notices), which warn about sites that get
//! nothing from the cache.
//!
//! While nobody listens, an event costs one read of a number. Events name keys, which may hold personal data.

use crate::engine::record::{self, Record};
use crate::engine::target::Target;
use crate::engine::{Engine, SiteState};
use crate::envelope::{Entry, Times};
use crate::error::CacheError;
use crate::invalidation::Outcome;
use crate::key::{Key, Unrenderable};
use crate::reason::{MissReason, UnstoredReason};
use crate::site::SiteName;
use crate::status::Answer;
use crate::sync::locked;
use crate::user_code::{PanicText, UserCode, caught};
use std::any::type_name;
use std::time::Duration;

/// The target of the events of single calls.
pub(crate) const CALLS: &str = "cached_core::calls";

/// The end of each warning about a write, because further ones are not logged.
const ONLY_COUNTED: &str = "and those that follow are only counted until the store takes them";

/// Emits an event about a site's call.
macro_rules! call_event {
    ($site:expr, $($field:tt)*) => {
        tracing::debug!(target: CALLS, site = $site.path(), $($field)*)
    };
}

impl Target {
    /// Notes a part of the call's outcome, if somebody wants to know it.
    #[inline]
    fn note(&self, note: impl FnOnce(&Record, SiteName, &Key)) {
        record::note(|record| note(record, self.site.names(), &self.key));
    }

    /// Counts how the call was served.
    pub(crate) fn served(&self, entry: &Entry) {
        let counters = &self.site.counters;
        let is_stale = entry.age.is_over();
        let answer = if entry.head.is_some() {
            counters.hits.one();
            call_event!(self.site, key = &*self.key, is_stale, "hit");
            Answer::Hit
        } else {
            counters.coalesced.one();
            call_event!(self.site, key = &*self.key, is_stale, "served by another caller's load");
            Answer::Coalesced
        };
        if is_stale {
            self.site.counters.stale.one();
        }
        self.note(|record, site, key| record.answered(site, key, answer, is_stale));
    }

    /// Counts a call that was answered by a value past its end, because its own load failed or takes too long.
    pub(crate) fn falls_back(&self, entry: &Entry) {
        if entry.age.is_over() {
            self.site.counters.stale.one();
            self.note(Record::falls_back);
        }
    }

    /// Notes the times of the value that was found.
    pub(crate) fn found(&self, times: Times) {
        self.note(|record, site, key| {
            let now = self.engine.clock.wall();
            let past_end = now.checked_sub(times.fresh_until).map(Duration::from_millis);
            record.found(site, key, times.left(now), past_end);
        });
    }

    /// Notes how long the value that was found lives in the store.
    pub(crate) fn lives(&self, life: Duration) {
        self.note(|record, site, key| record.lives(site, key, life));
    }

    /// The near cache, which counts for itself, has served the call.
    pub(crate) fn near_served(&self) {
        self.note(|record, site, key| {
            if let Some(left) = self.kept_for() {
                record.lives(site, key, left);
            }
            record.answered(site, key, Answer::NearHit, false);
        });
    }

    /// Notes that the near cache's value cannot be served, which its site has counted.
    pub(crate) fn not_cloned(&self) {
        self.note(|record, site, key| record.unstored(site, key, UnstoredReason::Panicked));
    }

    /// Counts a load that the call makes itself. `over`: the value that it refreshes and has read.
    pub(crate) fn begins_load(&self, over: Option<&Entry>) {
        self.site.counters.loads.one();
        let over = over.map(|entry| entry.age);
        self.note(|record, site, key| record.loads(site, key, over, self.is_forced()));
    }

    /// Counts a call that found nothing and has no function to run.
    pub(crate) fn unserved(&self) {
        self.site.counters.unserved.one();
        self.note(|record, site, key| record.answered(site, key, Answer::Unserved, false));
    }

    /// Counts a miss.
    pub(crate) fn missed(&self, reason: MissReason) {
        self.note(|record, site, key| record.missed(site, key, reason));
        self.site.counters.miss(reason);
        call_event!(self.site, key = &*self.key, ?reason, "miss");
        self.site.note_miss(reason, || self.engine.last_error());
    }

    /// Counts a call that its caller makes past the cache.
    pub(crate) fn bypassed(&self) {
        self.site.runs_uncached(Some(&self.key), MissReason::Bypassed);
    }

    /// Counts a load that has ended.
    pub(crate) fn loaded(&self, took: Duration, is_ok: bool) {
        if !is_ok {
            self.site.counters.load_errors.one();
        }
        call_event!(self.site, key = &*self.key, ?took, is_ok, "loaded");
    }

    /// Counts a value that was stored.
    pub(crate) fn stored(&self, bytes: u64) {
        self.site.counters.stored.one();
        self.note(Record::stored);
        self.site.counters.bytes_written.add(bytes);
        call_event!(self.site, key = &*self.key, bytes, "stored");
    }

    /// Counts a value that was not stored.
    pub(crate) fn unstored(&self, reason: UnstoredReason) {
        self.site.counters.unstored(reason);
        self.note(|record, site, key| record.unstored(site, key, reason));
        call_event!(self.site, key = &*self.key, ?reason, "not stored");
        self.site.note_unstored(reason, || self.engine.last_error());
    }
}

impl SiteState {
    /// Counts a call that runs the function as if there were no cache. Its key may be unknown.
    pub(crate) fn runs_uncached(&self, key: Option<&Key>, reason: MissReason) {
        record::note(|record| record.runs_uncached(self.names(), key, Some(reason)));
        self.counters.miss(reason);
        self.counters.loads.one();
        self.counters.bypassed.one();
        call_event!(self, ?reason, "runs uncached");
        self.note_miss(reason, || None);
    }

    /// Counts a call that loads nothing and whose key, tags or events cannot be rendered.
    pub(crate) fn cannot_ask(&self, argument: Unrenderable) {
        self.note_unrenderable(argument);
        self.counters.unserved.one();
        self.counters.miss(MissReason::Key);
    }

    /// Counts a value that was not stored because too many were being stored already. `key` is known only if somebody
    /// wants to know about the call.
    pub(crate) fn overflowed(&self, key: Option<&Key>) {
        self.counters.unstored(UnstoredReason::Overflow);
        if let Some(key) = key {
            record::note(|record| record.unstored(self.names(), key, UnstoredReason::Overflow));
        }
    }

    /// Emits the event of a near hit.
    pub(crate) fn near_hit(&self, key: &str) {
        tracing::trace!(target: CALLS, site = self.path(), key, "near hit");
    }

    /// Takes back a near hit, because the value's `Clone` has panicked. The call goes on to the store.
    #[cold]
    pub(crate) fn not_cloned<T: ?Sized>(&self) {
        if let Some(local) = &self.local {
            local.hits.take_back();
        }
        self.counters.unstored(UnstoredReason::Panicked);
        self.note_panic(UserCode::Clone, type_name::<T>(), &PanicText("see where panics are printed".to_owned()));
    }

    /// Counts what became of a write's invalidation.
    pub(crate) fn invalidated(&self, keys: &[Key], outcome: Outcome) {
        self.counters.written(outcome);
        call_event!(self, ?keys, ?outcome, "invalidated");
    }

    /// Counts a write that goes ahead without its bracket, and logs it once for each outage.
    pub(crate) fn unbracketed(&self, error: &CacheError) {
        self.counters.unbracketed.one();
        call_event!(self, %error, "without a bracket");
        if self.backlog.unbracketed() {
            let (site, place) = (self.path(), self.site.place());
            tracing::warn!(site, place, %error, "a write goes ahead without its bracket, {ONLY_COUNTED}");
        }
    }

    /// Logs once for each outage that an invalidation is queued.
    pub(crate) fn queued(&self, error: &CacheError) {
        if self.backlog.queued() {
            let (site, place) = (self.path(), self.site.place());
            tracing::warn!(site, place, %error, "an invalidation is not applied yet: it is queued, {ONLY_COUNTED}");
        }
    }

    /// Logs once that an invalidation is lost.
    pub(crate) fn lost(&self, error: &CacheError) {
        if self.backlog.lost() {
            let (site, place) = (self.path(), self.site.place());
            tracing::warn!(
                site,
                place,
                %error,
                "an invalidation is lost, because the cache is shut down and its store does not take it: the old value \
                 is served until its time to live is over; shut the cache down after the last write"
            );
        }
    }

    /// Logs the end of an outage: the store takes invalidations again, and none is queued.
    pub(crate) fn caught_up(&self) {
        if let Some((queued, unbracketed)) = self.backlog.end() {
            let (site, place) = (self.path(), self.site.place());
            tracing::info!(
                site,
                place,
                queued,
                unbracketed,
                "the store takes this function's writes again; `queued`: invalidations that had to wait, \
                 `unbracketed`: writes that went ahead without their bracket"
            );
        }
    }

    /// Runs user code that only the cache calls, for values of type `T`. `None` if it panics.
    pub(crate) fn caught<T: ?Sized, R>(&self, code: UserCode, run: impl FnOnce() -> R) -> Option<R> {
        caught(run).map_err(|panic: PanicText| self.note_panic(code, type_name::<T>(), &panic)).ok()
    }
}

impl Engine {
    /// Whether the store takes writes, and none is queued.
    pub(crate) fn has_caught_up(&self) -> bool {
        self.queue.len() == 0 && self.breaker.is_healthy()
    }

    /// Logs the end of the outage at all sites, if it is over.
    pub(crate) fn caught_up(&self) {
        if self.has_caught_up() {
            self.sites().iter().for_each(|site| site.caught_up());
        }
    }

    /// The message of the store's last refusal.
    fn last_error(&self) -> Option<String> {
        locked(&self.refusal).clone()
    }
}
