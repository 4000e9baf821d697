//! A value is renewed by one call, in the foreground or in the background, while all others are served what there is.
//!
//! # On cancellation
//! A call that renews and goes away gives claim and ticket back: the next one that finds the value takes over.

pub(crate) mod due;
pub(crate) mod lease;
pub(crate) mod local;
pub(crate) mod policy;

use super::budget::Budget;
use super::load::Permit;
use super::nesting::{self, Nesting};
use super::target::Target;
use crate::envelope::Entry;
use due::Due;
use lease::{AFTER_FAULT, Asked};

impl Target {
    /// Whether this call is to renew what it has found.
    pub(super) fn due(&self, budget: Budget) -> Option<Box<Due>> {
        self.site.fresh.as_ref()?;
        // Inside of a load of this very key there is no need of another.
        if nesting::of(self.engine.id, &self.key) == Nesting::Same {
            return None;
        }
        let engine = &self.engine;
        let claim = engine.claims.claim(self.place(), engine.clock.now(), engine.settings.throttle)?;
        Some(Box::new(Due { claim, budget }))
    }

    /// Whether a load has failed a moment ago, or someone else is at it.
    pub(super) fn is_barred(&self) -> bool {
        self.engine.claims.is_barred(self.place(), self.engine.clock.now())
    }

    /// The permission to load of the call that is to renew `entry`; or the value that it is served all the same.
    pub(super) async fn renew(&self, entry: Entry, due: Due) -> Result<Permit, Entry> {
        if self.site.fresh.is_some_and(|fresh| fresh.in_background) {
            return Ok(Permit::claimed(self.clone(), entry, due));
        }
        self.granted(entry, due).await.inspect(Permit::count_as_load)
    }

    /// The permission to renew `entry`; or the value to be served, if there is none.
    pub(super) async fn granted(&self, entry: Entry, due: Due) -> Result<Permit, Entry> {
        let Due { claim, mut budget } = due;
        let (time, entry) = match self.ask_ticket(&entry, None, &mut budget).await {
            Asked::Granted(ticket, entry) => {
                return Ok(Permit::renewing(self.clone(), *ticket, None, Some(claim), entry));
            }
            Asked::Newer(newer) => return Err(newer),
            // It was there when this call began.
            Asked::Gone(_) => return Err(entry),
            Asked::Elsewhere(left) | Asked::Throttled(left) => (left, entry),
            Asked::Fault(_) => (AFTER_FAULT, entry),
        };
        claim.bar(self.engine.clock.now() + time);
        Err(entry)
    }
}
