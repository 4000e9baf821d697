//! The way of calls that have waited for another call's load for as long as `max_wait`.
//!
//! If each of them loaded now, a source that has become slow would get all of its callers at once. So they share one
//! load once more: a flight beside the one that they have waited for, with the same rules. Its leader takes a place
//! among the bounded loads, reads whether the value has arrived meanwhile, and loads without storing.
//!
//! This second wait has an end as well. A call that reaches it loads alone, when a place becomes free for it.

use super::state::MissedCall;
use crate::engine::flight::{FlightKey, LeadKey};
use crate::engine::flight_value::FlightValue;
use crate::engine::load::{LoadPermit, Next};
use crate::engine::read::Reading;
use crate::flight::pulse;
use crate::reason::MissReason;
use std::time::Duration;
use tokio::time::Instant;

/// How long a late call waits for the other late calls.
const LATE_WAIT: Duration = Duration::from_secs(30);

impl MissedCall {
    /// Marks this call as one that has waited too long; returns the flight of such calls.
    pub(super) fn becomes_late(&mut self) -> FlightKey {
        self.is_late = true;
        self.deadline = Instant::now() + self.bounded_by_nesting(LATE_WAIT);
        self.target.late_flight()
    }

    /// Leads the flight of the late calls.
    pub(super) async fn lead_late(&mut self, lead: LeadKey) -> Next {
        self.target.missed(MissReason::WaitedTooLong);
        lead.idle();
        let room = pulse::drive(self.pulse(&lead), self.room(&self.target.engine.bulkhead)).await;
        let step = lead.store_step();
        if self.without.is_none() && self.target.may_read().is_ok() {
            match pulse::drive(self.pulse(&lead), self.target.read_beside_too(&mut self.budget)).await {
                Ok(Reading::Value(entry)) => {
                    lead.found(FlightValue::Value(entry.clone()), step);
                    return Next::Serve(entry);
                }
                Ok(Reading::Fallback(entry)) => self.fallback = Some(entry),
                Ok(_) | Err(_) => {}
            }
        }
        lead.idle();
        Next::Load(Box::new(LoadPermit::shared(self.target.clone(), lead, room).or_fallback(self.fallback.take())))
    }
}
