//! What becomes of the calls that a future makes, for whoever wants to know: [`with_status`](crate::with_status).
//!
//! `site/account`, which counts every outcome for the statistics, notes it here as well, so that none is forgotten. An
//! outcome comes in parts: reasons for a miss, then how the call was answered, then what became of its load. Parts belong
//! to the last call of their key. So two calls of one key that a future makes at the same time may exchange their
//! reasons; together they are what the statistics count.

use super::control;
use crate::envelope::Age;
use crate::key::Key;
use crate::reason::{MissReason, UnstoredReason};
use crate::site::SiteName;
use crate::status::{Answer, CacheStatus, CallStatus};
use crate::sync::locked;
use std::cell::RefCell;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

/// The calls of one future whose outcome is kept. Those beyond are only counted.
const CALLS: usize = 1000;
/// The reasons for misses that are kept of one call.
const MISSES: usize = 16;

thread_local! {
    /// The innermost record; it is in use while the thread's control says so.
    static RECORD: RefCell<Option<Arc<Record>>> = const { RefCell::new(None) };
}

/// The outcomes so far.
#[derive(Debug, Default)]
pub(crate) struct Record(Mutex<Calls>);

#[derive(Debug, Default)]
struct Calls {
    noted: Vec<NotedCall>,
    /// The last call of each key.
    last: HashMap<(&'static str, Key), usize>,
    further: u64,
}

#[derive(Debug)]
struct NotedCall {
    status: CallStatus,
    /// It is known how the call was answered.
    is_answered: bool,
}

/// Passes the record of this thread to `note`, if there is one.
#[inline]
pub(crate) fn note(note: impl FnOnce(&Record)) {
    if control::is_recorded() {
        noted(note);
    }
}

#[cold]
fn noted(note: impl FnOnce(&Record)) {
    if let Some(record) = here() {
        note(&record);
    }
}

/// The record of this thread.
pub(crate) fn here() -> Option<Arc<Record>> {
    if control::is_recorded() { RECORD.with_borrow(Option::clone) } else { None }
}

/// A future whose calls are recorded.
#[derive(Debug)]
pub(crate) struct Recorded<F> {
    pub(crate) future: F,
    pub(crate) record: Arc<Record>,
}

impl<F: Future + Unpin> Future for Recorded<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { future, record } = &mut *self;
        record.during(|| Pin::new(future).poll(context))
    }
}

/// Puts the outer record back, also when the poll panics.
struct RecordScope(Option<Arc<Record>>);

impl Drop for RecordScope {
    fn drop(&mut self) {
        RECORD.set(self.0.take());
    }
}

impl Record {
    /// Records the calls that one poll makes.
    pub(crate) fn during<T>(self: &Arc<Self>, poll: impl FnOnce() -> T) -> T {
        let _outer = RecordScope(RECORD.replace(Some(Arc::clone(self))));
        let _recorded = control::record();
        poll()
    }

    /// What was recorded. The record around this one gets it, too.
    pub(crate) fn end(&self) -> CacheStatus {
        let Calls { noted, further, .. } = std::mem::take(&mut *locked(&self.0));
        let calls = noted.into_iter().filter(|call| call.is_answered).map(|call| call.status).collect();
        let status = CacheStatus { calls, further };
        note(|outer| outer.extend(&status));
        status
    }

    fn extend(&self, inner: &CacheStatus) {
        let mut calls = locked(&self.0);
        for status in &inner.calls {
            if calls.has_room() {
                calls.noted.push(NotedCall { status: status.clone(), is_answered: true });
            } else {
                calls.further += 1;
            }
        }
        calls.further += inner.further;
    }

    /// No usable value was found.
    pub(crate) fn missed(&self, site: SiteName, key: &Key, reason: MissReason) {
        if let Some(call) = locked(&self.0).open(site, key) {
            // A call that is given up again and again stays open.
            if call.status.misses.len() < MISSES {
                call.status.misses.push(reason);
            }
            (call.status.left, call.status.past_end) = (None, None);
        }
    }

    /// A value was found that has a time.
    pub(crate) fn found(&self, site: SiteName, key: &Key, left: Duration, past_end: Option<Duration>) {
        if let Some(call) = locked(&self.0).open(site, key) {
            (call.status.left, call.status.past_end) = (Some(left), past_end);
        }
    }

    /// The value that was found lives for so long in the store. That is of interest only if it has no time of its own.
    pub(crate) fn lives(&self, site: SiteName, key: &Key, left: Duration) {
        if let Some(call) = locked(&self.0).open(site, key) {
            call.status.left.get_or_insert(left);
        }
    }

    /// A call was answered without a load of its own.
    pub(crate) fn answered(&self, site: SiteName, key: &Key, answer: Answer, is_stale: bool) {
        locked(&self.0).answer(site, key, |status| (status.answer, status.is_stale) = (answer, is_stale));
    }

    /// A call begins its own load. `over`: the load refreshes a value, which is past its end or not. `is_forced`: it is
    /// a forced refresh, which does not read what it refreshes.
    pub(crate) fn loads(&self, site: SiteName, key: &Key, over: Option<Age>, is_forced: bool) {
        locked(&self.0).answer(site, key, |status| {
            status.answer = Answer::Loaded;
            (status.is_refresh, status.is_over) = (over.is_some() || is_forced, over.is_some_and(Age::is_over));
            (status.left, status.past_end) = (None, None);
        });
    }

    /// A call runs its function as if there were no cache; without a reason, there is none.
    pub(crate) fn runs_uncached(&self, site: SiteName, key: Option<&Key>, reason: Option<MissReason>) {
        let mut status = CallStatus::of(site.name, key.map(Key::as_str));
        (status.answer, status.misses) = (Answer::Loaded, reason.into_iter().collect());
        let mut calls = locked(&self.0);
        if calls.has_room() {
            calls.noted.push(NotedCall { status, is_answered: true });
        } else {
            calls.further += 1;
        }
    }

    /// A call whose load failed, or takes too long, was answered by a value past its end.
    pub(crate) fn falls_back(&self, site: SiteName, key: &Key) {
        if let Some(call) = locked(&self.0).last(site, key) {
            call.status.is_stale = true;
        }
    }

    /// The loaded value was stored.
    pub(crate) fn stored(&self, site: SiteName, key: &Key) {
        if let Some(call) = locked(&self.0).last(site, key).filter(|call| call.status.answer == Answer::Loaded) {
            call.status.is_stored = true;
        }
    }

    /// The loaded value was not stored; or a value that was found is not kept near.
    pub(crate) fn unstored(&self, site: SiteName, key: &Key, reason: UnstoredReason) {
        let mut calls = locked(&self.0);
        let is_loaded = |call: &&mut NotedCall| {
            call.is_answered && call.status.answer == Answer::Loaded && call.status.unstored.is_none()
        };
        if let Some(call) = calls.last(site, key).filter(is_loaded) {
            call.status.unstored = Some(reason);
        } else if let Some(call) = calls.open(site, key) {
            call.status.unstored = Some(reason);
        }
    }
}

impl Calls {
    fn has_room(&self) -> bool {
        self.noted.len() < CALLS
    }

    fn last(&mut self, site: SiteName, key: &Key) -> Option<&mut NotedCall> {
        let at = *self.last.get(&(site.path, Key::clone(key)))?;
        self.noted.get_mut(at)
    }

    /// The call of this key that is under way. `None` if there is no room for one more.
    fn open(&mut self, site: SiteName, key: &Key) -> Option<&mut NotedCall> {
        let call = (site.path, Key::clone(key));
        let open = self.last.get(&call).copied().filter(|at| !self.noted[*at].is_answered);
        let at = match open {
            Some(at) => at,
            None if !self.has_room() => return None,
            None => {
                let status = CallStatus::of(site.name, Some(key.as_str()));
                self.noted.push(NotedCall { status, is_answered: false });
                self.last.insert(call, self.noted.len() - 1);
                self.noted.len() - 1
            }
        };
        self.noted.get_mut(at)
    }

    fn answer(&mut self, site: SiteName, key: &Key, change: impl FnOnce(&mut CallStatus)) {
        match self.open(site, key) {
            Some(call) => {
                change(&mut call.status);
                call.is_answered = true;
            }
            None => self.further += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: SiteName = SiteName { name: "find", path: "app::find" };

    #[test]
    fn what_is_kept_is_bounded_however_many_calls_there_are() {
        let record = Record::default();
        for n in 0..3 * CALLS {
            let key = Key::from(n.to_string().as_str());
            record.missed(SITE, &key, MissReason::Absent);
            record.answered(SITE, &key, Answer::Unserved, false);
        }
        let calls = locked(&record.0);
        assert_eq!((calls.noted.len(), calls.last.len()), (CALLS, CALLS));
        assert_eq!(calls.further, 2 * CALLS as u64);
    }

    #[test]
    fn a_call_that_is_given_up_for_ever_takes_no_more_room() {
        let record = Record::default();
        for _ in 0..3 * MISSES {
            record.missed(SITE, &"one".into(), MissReason::Absent);
        }
        let calls = locked(&record.0);
        assert_eq!((calls.noted.len(), calls.noted[0].status.misses.len()), (1, MISSES));
    }
}
