//! A value is renewed by one call, in the foreground or in the background, while all others are served what there is.
//!
//! # On cancellation
//! A call that renews and goes away gives claim and ticket back: the next one that finds the value takes over.

pub(crate) mod due;
pub(crate) mod lease;
pub(crate) mod local;
pub(crate) mod policy;

use super::budget::Budget;
use super::load::LoadPermit;
use super::nesting::{self, Nesting};
use super::target::Target;
use crate::envelope::Entry;
use due::DueRefresh;
use lease::{AFTER_FAULT, LeaseAnswer};

impl Target {
    /// Whether this call is to renew what it has found.
    pub(super) fn due(&self, budget: Budget) -> Option<Box<DueRefresh>> {
        self.site.fresh.as_ref()?;
        // Inside of a load of this very key there is no need of another.
        if nesting::of(self.engine.id, &self.key) == Nesting::Same {
            return None;
        }
        let engine = &self.engine;
        let claim = engine.local_refreshes.claim(self.place(), engine.clock.now(), engine.settings.throttle)?;
        Some(Box::new(DueRefresh { claim, budget }))
    }

    /// Whether a load has failed a moment ago, or someone else is at it.
    pub(super) fn is_cooling_down(&self) -> bool {
        self.engine.local_refreshes.is_cooling_down(self.place(), self.engine.clock.now())
    }

    /// The permission to load of the call that is to renew `entry`; or the value that it is served all the same.
    pub(super) async fn refresh(&self, entry: Entry, due: DueRefresh) -> Result<LoadPermit, Entry> {
        if self.site.fresh.is_some_and(|fresh| fresh.in_background) {
            return Ok(LoadPermit::claimed(self.clone(), entry, due));
        }
        self.granted(entry, due).await.inspect(LoadPermit::count_as_load)
    }

    /// The permission to renew `entry`; or the value to be served, if there is none.
    pub(super) async fn granted(&self, entry: Entry, due: DueRefresh) -> Result<LoadPermit, Entry> {
        let DueRefresh { claim, mut budget } = due;
        let (time, entry) = match self.ask_for_lease(&entry, None, &mut budget).await {
            LeaseAnswer::Granted(ticket, entry) => {
                return Ok(LoadPermit::refreshing(self.clone(), *ticket, None, Some(claim), entry));
            }
            LeaseAnswer::Newer(newer) => return Err(newer),
            // It was there when this call began.
            LeaseAnswer::Gone(_) => return Err(entry),
            LeaseAnswer::Elsewhere(left) | LeaseAnswer::Throttled(left) => (left, entry),
            LeaseAnswer::Fault(_) => (AFTER_FAULT, entry),
        };
        claim.cool_down(self.engine.clock.now() + time);
        Err(entry)
    }
}
