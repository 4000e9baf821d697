//! What a write invalidates, and in which cache.

use super::parts;
use crate::engine::budget::Budget;
use crate::engine::{Engine, SiteRef};
use crate::envelope::Head;
use crate::error::CacheError;
use crate::invalidation::{Outcome, Registers};
use crate::key::Key;
use crate::store::Written;
use std::sync::Arc;

/// What a write invalidates, and in which cache. If this is dropped while it is open, the registers are invalidated,
/// because the write may have been made.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(super) engine: Arc<Engine>,
    pub(super) site: SiteRef,
    pub(super) registers: Registers,
    /// Why a part of the write names no register: it cannot be rendered, or is a pattern.
    pub(super) flaw: Option<CacheError>,
    pub(super) is_open: bool,
}

impl Drop for Scope {
    fn drop(&mut self) {
        if self.is_open {
            self.site.counters.cancelled.one();
            let _ = self.engine.enqueue(self.registers.keys(), None);
            if self.engine.queue.is_closed() {
                self.site.lost(&CacheError::ShutDown);
            }
        }
    }
}

impl Scope {
    /// The scope, if all of its parts name registers. Otherwise the write is refused.
    pub(super) fn whole(mut self) -> Result<Self, CacheError> {
        let Some(flaw) = self.flaw.take() else { return Ok(self) };
        self.site.counters.refused.one();
        self.close();
        Err(flaw)
    }

    /// Closes the scope: there is nothing left to invalidate.
    pub(super) fn close(&mut self) {
        self.is_open = false;
    }

    pub(super) fn keys(&self) -> &[Key] {
        self.registers.keys()
    }

    /// Removes the registers.
    pub(super) async fn invalidate(self) -> Outcome {
        if self.keys().is_empty() {
            return self.end_with(Outcome::Applied);
        }
        if let Err(error) = self.engine.usable() {
            return self.queue(None, &error);
        }
        let mut budget = self.engine.budget();
        match parts::remove_all(&self.engine, &mut budget, self.keys()).await {
            Ok(()) => self.end_with(Outcome::Applied),
            Err(error) => self.queue(None, &error.into()),
        }
    }

    /// Sends END. Returns what became of the invalidation, and whether the values were put.
    pub(super) async fn end(self, writer: Head, written: &[Written], mut budget: Budget) -> (Outcome, bool) {
        if written.is_empty() {
            return (self.end_with(Outcome::Applied), false);
        }
        if let Err(error) = self.engine.usable() {
            return (self.queue(Some(writer), &error), false);
        }
        match parts::end(&self.engine, &mut budget, writer, written).await {
            Ok(put) => (self.end_with(Outcome::Applied), put),
            Err(error) => (self.queue(Some(writer), &error.into()), false),
        }
    }

    /// Queues all registers, also those that the store may have removed: see
    /// [`gate`](crate::engine::gate).
    fn queue(self, writer: Option<Head>, error: &CacheError) -> Outcome {
        let outcome = self.engine.enqueue(self.keys(), writer);
        if self.engine.queue.is_closed() {
            self.site.lost(error);
        } else {
            self.site.queued(error);
        }
        self.end_with(outcome)
    }

    fn end_with(mut self, outcome: Outcome) -> Outcome {
        self.close();
        self.engine.wrote(self.keys());
        let outcome = if self.flaw.is_none() { outcome } else { Outcome::Failed };
        self.site.invalidated(self.keys(), outcome);
        if outcome == Outcome::Applied && self.engine.has_caught_up() {
            self.site.caught_up();
        }
        outcome
    }
}
