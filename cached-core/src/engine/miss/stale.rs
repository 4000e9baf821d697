//! The way of a call that has found a value past its end, to be served only if the load fails.

use super::state::{Led, Lookup, Waits};
use crate::engine::finding::Finding;
use crate::engine::flight::LeadKey;
use crate::engine::read::Seen;
use crate::engine::refresh::lease::Asked;
use crate::envelope::Entry;
use crate::flight::{Follow, Landing};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

impl Lookup {
    /// For a value past its end: asks for the ticket to renew it, and waits while someone else has that. `None` if there is
    /// no such value, or no more.
    pub(super) async fn find_or_renew(&mut self, lead: &LeadKey, waits: &mut Waits) -> Option<Led> {
        let patience = self.patience(Instant::now());
        while let Some(entry) = self.spare.as_deref() {
            let step = lead.store_step();
            if let Err(reason) = self.target.may_look() {
                return Some(Led::Without(reason));
            }
            let before = self.budget;
            match Box::pin(self.target.ask_ticket(entry, Some(lead), &mut self.budget)).await {
                Asked::Granted(ticket, entry) => return Some(Led::Renewing(ticket, entry)),
                Asked::Newer(entry) => return Some(Led::Found(entry, step)),
                Asked::Gone(replace) => (self.spare, self.replace) = (None, replace),
                Asked::Elsewhere(left) => {
                    // It would have waited as long without asking.
                    self.budget = before;
                    lead.idle_after_a_look_in_vain();
                    let has_patience = patience.is_none_or(|patience| Instant::now() < patience);
                    if !has_patience || !self.pause(waits, left).await {
                        return self.as_it_is(lead).await;
                    }
                }
                Asked::Throttled(left) => {
                    let engine = &self.target.engine;
                    let now = engine.clock.now();
                    engine.claims.bar(self.target.place(), now, now + left);
                    return self.as_it_is(lead).await;
                }
                Asked::Fault(error) => return Some(Led::Without(error.kind.into())),
            }
        }
        None
    }

    /// The value past its end, for all who have come by now; `None` if it is gone.
    async fn as_it_is(&mut self, lead: &LeadKey) -> Option<Led> {
        let step = lead.store_step();
        if let Err(reason) = self.target.may_look() {
            return Some(Led::Without(reason));
        }
        match self.target.look(&mut self.budget).await {
            Ok(Seen::Value(entry)) => return Some(Led::Found(entry, step)),
            Ok(Seen::Spare(entry)) => return Some(Led::Found(*entry, step)),
            Ok(Seen::Unusable(replace)) => self.found_unusable(replace),
            Ok(Seen::Base(base)) => self.goes_beside(base),
            Ok(Seen::Moved) => self.comes_back(),
            Ok(Seen::Nothing | Seen::Lease(_) | Seen::Worthless(_)) => {}
            Err(error) => return Some(Led::Without(error.kind.into())),
        }
        self.spare = None;
        None
    }

    /// A value past its end that another call has not been able to renew.
    pub(super) async fn past_its_end(&mut self) -> Option<Entry> {
        self.target.site.fresh.filter(|fresh| !fresh.window().is_zero())?;
        if self.without.is_some() || self.target.may_look().is_err() {
            return self.spare.take().map(|entry| *entry);
        }
        // A follower has not looked before: it does not know yet where the entry stands.
        match self.target.look_beside_too(&mut self.budget).await {
            Ok(Seen::Value(entry)) => Some(entry),
            Ok(Seen::Spare(entry)) => Some(*entry),
            Ok(_) => None,
            // It was there when this call began.
            Err(_) => self.spare.take().map(|entry| *entry),
        }
    }

    /// Waits for what the flight has for this call; `None` if that takes too long.
    ///
    /// # Errors
    /// A value past its end, that is to be served instead: the load takes more time than the call has patience.
    pub(super) async fn landing(
        &mut self,
        follow: &Follow<Finding>,
        began: Instant,
        settles_within: Duration,
    ) -> Result<Option<Landing<Finding>>, Entry> {
        // A leader that is not polled is waited for as long as a store that does not answer.
        let stalls_within = self.target.engine.settings.budget;
        if let Some(patience) = self.patience(began) {
            if let Ok(landing) = timeout_at(patience, follow.landing(settles_within, stalls_within)).await {
                return Ok(Some(landing));
            }
            if let Some(entry) = self.past_its_end().await {
                return Err(entry);
            }
        }
        Ok(timeout_at(self.deadline, follow.landing(settles_within, stalls_within)).await.ok())
    }

    /// Until when a call waits for a load before it takes a value past its end.
    pub(super) fn patience(&self, began: Instant) -> Option<Instant> {
        let timeout = self.target.site.fresh?.load_timeout?;
        Some(began + timeout).filter(|patience| *patience < self.deadline)
    }
}
