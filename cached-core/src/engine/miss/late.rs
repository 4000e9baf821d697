//! The way of calls that have waited for another call's load for as long as `max_wait`.
//!
//! If each of them loaded now, a source that has become slow would get all of its callers at once. So they share one load
//! once more: a flight beside the one that they have waited for, with the same rules. Its leader takes a place among the
//! bounded loads, looks whether the value has arrived meanwhile, and loads without storing.
//!
//! This second wait has an end as well. Who reaches it loads alone, in the order in which places become free.

use super::state::Lookup;
use crate::engine::finding::Finding;
use crate::engine::flight::{FlightKey, LeadKey};
use crate::engine::load::{Permit, Turn};
use crate::engine::read::Seen;
use crate::flight::pulse;
use crate::reason::MissReason;
use std::time::Duration;
use tokio::time::Instant;

/// How long a call waits for those who are late as well.
const LATE_WAIT: Duration = Duration::from_secs(30);

impl Lookup {
    /// Joins those who have waited for too long; with their flight.
    pub(super) fn becomes_late(&mut self) -> FlightKey {
        self.is_late = true;
        self.deadline = Instant::now() + self.bounded_by_nesting(LATE_WAIT);
        self.target.late_flight()
    }

    pub(super) async fn lead_late(&mut self, lead: LeadKey) -> Turn {
        self.target.missed(MissReason::WaitedTooLong);
        lead.idle();
        let room = pulse::drive(self.pulse(&lead), self.room(&self.target.engine.bulkhead)).await;
        let step = lead.store_step();
        if self.without.is_none() && self.target.may_look().is_ok() {
            match pulse::drive(self.pulse(&lead), self.target.look_beside_too(&mut self.budget)).await {
                Ok(Seen::Value(entry)) => {
                    lead.found(Finding::Value(entry.clone()), step);
                    return Turn::Value(entry);
                }
                Ok(Seen::Spare(entry)) => self.spare = Some(entry),
                Ok(_) | Err(_) => {}
            }
        }
        lead.idle();
        Turn::Load(Box::new(Permit::shared(self.target.clone(), lead, room).or_spare(self.spare.take())))
    }
}
