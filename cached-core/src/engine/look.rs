//! One look at a register: the whole way of a call that hits.

use super::Engine;
use super::target::Target;
use crate::envelope::{Entry, Head, Register};
use crate::error::{FaultKind, StoreError};
use crate::reason::MissReason;
use crate::store::Replace;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What stands under a key, for this target.
#[derive(Debug)]
pub(super) enum Seen {
    Value(Entry),
    Nothing,
    /// Someone is loading it.
    Lease(Head),
    /// Something that can only be replaced; counted.
    Unusable(Replace),
}

/// A call's first look that did not hit: what the rest of the call begins with.
#[derive(Debug)]
pub(super) struct Looked {
    /// Time spent on the store.
    pub(super) spent: Duration,
    pub(super) missed: Missed,
}

#[derive(Debug)]
pub(super) enum Missed {
    /// Nothing there, or a lease. Or not looked at, since another call of this process is about to know better.
    Nothing,
    Unusable(Replace),
    /// The store is out of use.
    Without(MissReason),
}

impl Looked {
    fn at_once(missed: Missed) -> Self {
        Self { spent: Duration::ZERO, missed }
    }
}

/// A step on the store under way. Callers with less patience than the budget drop it before it can time out; that the
/// store did not answer must be noted all the same, or the breaker would never open for them.
struct Waiting<'a> {
    engine: &'a Arc<Engine>,
    began: Instant,
    answered: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.answered && self.began.elapsed() >= self.engine.settings.budget / 2 {
            let error = StoreError::new(FaultKind::Timeout, "its caller did not wait any longer");
            let _ = self.engine.noted(Err::<(), _>(error));
        }
    }
}

impl Target {
    /// Looks for a value before anything else is done.
    pub(super) async fn first_look(&self) -> Result<Entry, Looked> {
        if self.engine.flights.has(|| self.flight()) {
            return Err(Looked::at_once(Missed::Nothing));
        }
        if !self.engine.may_use_store() {
            return Err(Looked::at_once(Missed::Without(MissReason::BreakerOpen)));
        }
        let began = Instant::now();
        let missed = match self.look(self.engine.settings.budget, began).await {
            Ok(Seen::Value(entry)) => return Ok(entry),
            Ok(Seen::Nothing | Seen::Lease(_)) => Missed::Nothing,
            Ok(Seen::Unusable(replace)) => Missed::Unusable(replace),
            Err(error) => Missed::Without(error.kind.into()),
        };
        Err(Looked { spent: began.elapsed(), missed })
    }

    /// The value that the first look found could not be decoded.
    pub(super) fn rejects(&self, entry: &Entry, reason: MissReason) -> Looked {
        self.site.rejected(reason);
        let head = entry.head.as_ref().map_or(&[][..], Head::as_bytes);
        Looked::at_once(Missed::Unusable(Replace::unusable(head)))
    }

    /// GET, which begins now.
    pub(super) async fn look(&self, within: Duration, now: Instant) -> Result<Seen, StoreError> {
        match self.engine.on_store(self.engine.store.get(&self.key, within), now).await {
            Ok(Some(register)) => Ok(self.seen(register)),
            Ok(None) => Ok(Seen::Nothing),
            Err(error) if error.kind == FaultKind::WrongType => {
                self.site.counters.miss(MissReason::WrongType);
                // ACQUIRE replaces it unasked.
                Ok(Seen::Unusable(Replace::Nothing))
            }
            Err(error) => Err(error),
        }
    }

    /// Reads and counts a register that stood under the key.
    pub(super) fn seen(&self, register: Bytes) -> Seen {
        let counters = &self.site.counters;
        match self.read(&register) {
            Register::Value(found) => {
                counters.bytes_read.add(register.len() as u64);
                Seen::Value(Entry::found(register, found))
            }
            Register::Lease(head) => Seen::Lease(head),
            Register::Invalid(reason) => {
                counters.miss(reason);
                Seen::Unusable(Replace::unusable(&register))
            }
        }
    }
}

impl Engine {
    /// Takes a step on the store, which begins now, and notes how it ended.
    pub(super) async fn on_store<T>(
        self: &Arc<Self>,
        step: impl Future<Output = Result<T, StoreError>>,
        now: Instant,
    ) -> Result<T, StoreError> {
        let mut waiting = Waiting { engine: self, began: now, answered: false };
        let answer = step.await;
        waiting.answered = true;
        self.noted(answer)
    }
}
