//! One call refreshes a value, in the foreground or in the background, while all others are served the value that is
//! there.
//!
//! # On cancellation
//! A call that goes away during its refresh gives back the claim and the refresh lease. The next call that finds the
//! value takes over.

pub(crate) mod ahead;
pub(crate) mod due;
pub(crate) mod freshness;
pub(crate) mod lease;
pub(crate) mod local;

use super::budget::Budget;
use super::load::LoadPermit;
use super::nesting::{self, Nesting};
use super::target::Target;
use crate::envelope::Entry;
use due::DueRefresh;
use lease::{AFTER_FAULT, LeaseAnswer};

impl Target {
    /// Whether this call is to refresh the value that it has found.
    pub(super) fn due(&self, budget: Budget) -> Option<Box<DueRefresh>> {
        self.site.fresh.as_ref()?;
        // Inside of a load of this very key, another load is not needed.
        if nesting::of(self.engine.id, &self.key) == Nesting::Same {
            return None;
        }
        let engine = &self.engine;
        let claim = engine.local_refreshes.claim(self.place(), engine.clock.now(), engine.settings.refresh_cooldown)?;
        Some(Box::new(DueRefresh { claim, budget }))
    }

    /// Whether a refresh has failed a moment ago, or another process is refreshing the value.
    pub(super) fn is_cooling_down(&self) -> bool {
        self.engine.local_refreshes.is_cooling_down(self.place(), self.engine.clock.now())
    }

    /// The permission to load for the call that is to refresh `entry`.
    ///
    /// # Errors
    /// The value to be served instead, if there is no permission.
    pub(super) async fn refresh(&self, entry: Entry, due: DueRefresh) -> Result<LoadPermit, Entry> {
        if self.site.fresh.is_some_and(|fresh| fresh.in_background) {
            return Ok(LoadPermit::claimed(self.clone(), entry, due));
        }
        self.granted(entry, due).await.inspect(LoadPermit::count_as_load)
    }

    /// Asks the other processes for the permission to refresh `entry`.
    ///
    /// # Errors
    /// The value to be served instead, if there is no permission.
    pub(super) async fn granted(&self, entry: Entry, due: DueRefresh) -> Result<LoadPermit, Entry> {
        let DueRefresh { claim, mut budget } = due;
        let (time, entry) = match self.ask_for_lease(&entry, None, &mut budget).await {
            LeaseAnswer::Granted(lease, entry) => {
                return Ok(LoadPermit::refreshing(self.clone(), *lease, None, Some(claim), entry));
            }
            LeaseAnswer::Newer(newer) => return Err(newer),
            // It stood there when this call began.
            LeaseAnswer::Gone(_) => return Err(entry),
            LeaseAnswer::Elsewhere(left) | LeaseAnswer::CoolingDown(left) => (left, entry),
            LeaseAnswer::Fault(_) => (AFTER_FAULT, entry),
        };
        claim.cool_down(self.engine.clock.now() + time);
        Err(entry)
    }
}
