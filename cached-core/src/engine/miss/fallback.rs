//! The way of a miss that has found a fallback: a value past its end that is served only if the load fails.
//!
//! A call whose own load failed gets it in `engine/call` (`settle`); the window is in `refresh/freshness`.

use super::state::{LeadOutcome, LeaseWaits, MissedCall};
use crate::engine::flight::LeadKey;
use crate::engine::flight_value::FlightValue;
use crate::engine::read::Reading;
use crate::engine::refresh::lease::LeaseAnswer;
use crate::envelope::Entry;
use crate::flight::{Follow, Landing};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

impl MissedCall {
    /// Asks for the lease to refresh the fallback, and waits while someone else has it. `None` if there is no fallback,
    /// or it is gone.
    pub(super) async fn find_or_refresh(&mut self, lead: &LeadKey, waits: &mut LeaseWaits) -> Option<LeadOutcome> {
        let patience = self.patience(Instant::now());
        while let Some(entry) = self.fallback.as_deref() {
            let step = lead.store_step();
            if let Err(reason) = self.target.may_read() {
                return Some(LeadOutcome::Without(reason));
            }
            let before = self.budget;
            match Box::pin(self.target.ask_for_lease(entry, Some(lead), &mut self.budget)).await {
                LeaseAnswer::Granted(lease, entry) => return Some(LeadOutcome::Refreshing(lease, entry)),
                LeaseAnswer::Newer(entry) => return Some(LeadOutcome::Found(entry, step)),
                LeaseAnswer::Gone(replace) => (self.fallback, self.replace) = (None, replace),
                LeaseAnswer::Elsewhere(left) => {
                    // The call would have waited as long without asking.
                    self.budget = before;
                    lead.idle_after_reading_in_vain();
                    let has_patience = patience.is_none_or(|patience| Instant::now() < patience);
                    if !has_patience || !self.pause(waits, left).await {
                        return self.read_fallback(lead).await;
                    }
                }
                LeaseAnswer::CoolingDown(left) => {
                    let engine = &self.target.engine;
                    let now = engine.clock.now();
                    engine.local_refreshes.cool_down(self.target.place(), now, now + left);
                    return self.read_fallback(lead).await;
                }
                LeaseAnswer::Fault(error) => return Some(LeadOutcome::Without(error.kind.into())),
            }
        }
        None
    }

    /// Reads the fallback once more, so that all who have come by now may be served it; `None` if it is gone.
    async fn read_fallback(&mut self, lead: &LeadKey) -> Option<LeadOutcome> {
        let step = lead.store_step();
        if let Err(reason) = self.target.may_read() {
            return Some(LeadOutcome::Without(reason));
        }
        match self.target.read(&mut self.budget).await {
            Ok(Reading::Value(entry)) => return Some(LeadOutcome::Found(entry, step)),
            Ok(Reading::Fallback(entry)) => return Some(LeadOutcome::Found(*entry, step)),
            Ok(Reading::Unusable(replace)) => self.found_unusable(replace),
            Ok(Reading::Base(base)) => self.goes_beside(base),
            Ok(Reading::Moved) => self.comes_back(),
            Ok(Reading::Nothing | Reading::Lease(_) | Reading::Worthless(_)) => {}
            Err(error) => return Some(LeadOutcome::Without(error.kind.into())),
        }
        self.fallback = None;
        None
    }

    /// The fallback of a call whose leader did not refresh it. It may have been refreshed elsewhere.
    pub(super) async fn find_fallback(&mut self) -> Option<Entry> {
        self.target.site.fresh.filter(|fresh| !fresh.window().is_zero())?;
        if self.without.is_some() || self.target.may_read().is_err() {
            return self.fallback.take().map(|entry| *entry);
        }
        // A follower may not have read before, so it does not know yet where the entry stands.
        match self.target.read_beside_too(&mut self.budget).await {
            Ok(Reading::Value(entry)) => Some(entry),
            Ok(Reading::Fallback(entry)) => Some(*entry),
            Ok(_) => None,
            // It stood there when this call began.
            Err(_) => self.fallback.take().map(|entry| *entry),
        }
    }

    /// Waits for what the flight has for this call; `None` if that takes too long.
    ///
    /// # Errors
    /// The fallback, to be served instead, if the load takes longer than `load_timeout`.
    pub(super) async fn landing(
        &mut self,
        follow: &Follow<FlightValue>,
        began: Instant,
        settles_within: Duration,
    ) -> Result<Option<Landing<FlightValue>>, Entry> {
        // The call waits for a leader that is not polled as long as for a store that does not answer.
        let stalls_within = self.target.engine.settings.budget;
        if let Some(patience) = self.patience(began) {
            if let Ok(landing) = timeout_at(patience, follow.landing(settles_within, stalls_within)).await {
                return Ok(Some(landing));
            }
            if let Some(entry) = self.find_fallback().await {
                return Err(entry);
            }
        }
        Ok(timeout_at(self.deadline, follow.landing(settles_within, stalls_within)).await.ok())
    }

    /// Until when a call waits for a load before it takes the fallback.
    pub(super) fn patience(&self, began: Instant) -> Option<Instant> {
        let timeout = self.target.site.fresh?.load_timeout?;
        Some(began + timeout).filter(|patience| *patience < self.deadline)
    }
}
