//! Whether the store may be used now, and what the breaker learns from its answers.

use super::{Engine, probe};
use crate::breaker::{BreakerState, Edge, Verdict};
use crate::error::{CacheError, StoreError};
use crate::reason::MissReason;
use crate::sync::locked;
use std::sync::Arc;

pub(super) fn is_on_tokio() -> bool {
    // Asking for the task first is cheaper: it takes no handle.
    tokio::task::try_id().is_some() || tokio::runtime::Handle::try_current().is_ok()
}

impl Engine {
    pub(crate) fn breaker(&self) -> BreakerState {
        self.breaker.state()
    }

    /// Whether the store may be used now and here.
    ///
    /// # Errors
    /// Why it may not.
    pub(crate) fn usable(self: &Arc<Self>) -> Result<(), CacheError> {
        if !is_on_tokio() {
            return Err(CacheError::NoRuntime);
        }
        if self.may_use_store() { Ok(()) } else { Err(CacheError::BreakerOpen) }
    }

    /// As [`usable`](Self::usable), for a caller that wants to store a value: a cache that is shut down takes none.
    ///
    /// # Errors
    /// Why it may not.
    pub(crate) fn usable_to_store(self: &Arc<Self>) -> Result<(), CacheError> {
        self.usable()?;
        if self.is_shut() { Err(CacheError::ShutDown) } else { Ok(()) }
    }

    /// Whether calls may read from the store now, and load for it.
    ///
    /// # Errors
    /// Why they may not.
    pub(super) fn may_read_store(self: &Arc<Self>) -> Result<(), MissReason> {
        if self.breaker.is_healthy() {
            return Ok(());
        }
        if self.is_shut() {
            return Err(MissReason::ShutDown);
        }
        if self.may_use_store() { Ok(()) } else { Err(MissReason::BreakerOpen) }
    }

    /// Whether the store may be used now. Starts a probe if one is due, so it must be called on tokio.
    pub(super) fn may_use_store(self: &Arc<Self>) -> bool {
        if self.breaker.is_healthy() {
            return true;
        }
        match self.breaker.ask(self.clock.now()) {
            Verdict::Use => true,
            Verdict::Skip => false,
            Verdict::SkipAndProbe => {
                probe::start(self);
                false
            }
        }
    }

    /// Tells the breaker how the store has answered.
    pub(super) fn noted<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        match &answer {
            Err(error) if error.kind.is_outage() => {
                if self.breaker.outage(self.clock.now()) == Some(Edge::Opened) {
                    tracing::warn!(
                        store = ?self.store,
                        %error,
                        "the cache's store is out of reach: its breaker is open, functions run without it"
                    );
                }
            }
            // The connection's runtime has ended or is blocked, which says nothing about the store.
            Err(error) if !error.kind.is_answer() => {}
            Err(error) => {
                *locked(&self.refusal) = Some(error.to_string());
                self.breaker.answered();
            }
            Ok(_) => self.breaker.answered(),
        }
        answer
    }
}
