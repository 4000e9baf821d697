//! The way of a miss whose first read has found the lease of a worthless load. One of the load's tags is missing: it
//! was invalidated after the lease was granted, so nobody could use the loaded value. Or the entry stands beside a
//! base, and the lease was granted beside another base, which is over by now.
//!
//! One read is not enough, because it may have come between the ACQUIRE of the lease and the TAG that is sent beside
//! it. Nothing outdated is stored or served even if both reads are wrong: a replaced lease is no different from one
//! that ran out before the next ACQUIRE.

use super::state::{LeadOutcome, LeaseWaits, MissedCall};
use crate::engine::flight::LeadKey;
use crate::engine::read::Reading;
use crate::envelope::Head;
use crate::store::Replace;
use std::time::Duration;
use tokio::time::sleep;

/// A TAG arrives within this time after the ACQUIRE that it was sent beside.
const TAG_ARRIVES: Duration = Duration::from_millis(10);

impl MissedCall {
    /// Reads once more after a moment. If the load still is worthless, its lease may be replaced.
    pub(super) async fn reads_again(
        &mut self,
        lead: &LeadKey,
        waits: &mut LeaseWaits,
        head: Head,
    ) -> Option<LeadOutcome> {
        waits.is_worthless(head);
        self.waits_for_others();
        lead.idle();
        sleep(TAG_ARRIVES).await;
        let step = lead.store_step();
        if let Err(reason) = self.target.may_read() {
            return Some(LeadOutcome::Without(reason));
        }
        match self.target.read(&mut self.budget).await {
            Ok(Reading::Value(entry)) => return Some(LeadOutcome::Found(entry, step)),
            Ok(Reading::Fallback(entry)) => self.fallback = Some(entry),
            Ok(Reading::Worthless(now)) if waits.is_worthless(now) => self.replace = Replace::unusable(now.as_bytes()),
            Ok(Reading::Unusable(replace)) => self.found_unusable(replace),
            Ok(Reading::Base(base)) => {
                waits.moves();
                self.goes_beside(base);
            }
            Ok(Reading::Moved) => {
                waits.moves();
                self.comes_back();
            }
            Ok(Reading::Nothing | Reading::Lease(_) | Reading::Worthless(_)) => {}
            Err(error) => return Some(LeadOutcome::Without(error.kind.into())),
        }
        None
    }
}
