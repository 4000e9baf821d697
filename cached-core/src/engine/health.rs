//! Whether the store may be used now, and what its answers tell the breaker.

use super::{Engine, probe};
use crate::breaker::{BreakerState, Edge, Verdict};
use crate::error::{CacheError, StoreError};
use crate::sync::locked;
use std::sync::Arc;

pub(super) fn is_on_tokio() -> bool {
    // To ask for the task first costs less: it takes no handle.
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

    /// Whether the store may be used now; starts a probe if one is due. To be called on tokio.
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

    /// Tells the breaker how the store did.
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
            // The connection's runtime is gone or stands still: that tells nothing of the store.
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
