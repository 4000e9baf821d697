//! The way of a call whose first look has found a lease without one of its tags: an event or a tag was invalidated since the
//! lease was given, so what is being loaded under it could not be of use to anybody. Or beside a base, a lease that was given
//! beside another one, which is over by now.
//!
//! One look is not enough: it may have come between the ACQUIRE of the lease and the TAG that is sent beside it. Whatever the
//! looks say, nothing old is stored or served: to replace a lease is what its end and another ACQUIRE would have done.

use super::state::{LeadOutcome, LeaseWaits, MissedCall};
use crate::engine::flight::LeadKey;
use crate::engine::read::Reading;
use crate::envelope::Head;
use crate::store::Replace;
use std::time::Duration;
use tokio::time::sleep;

/// By then a TAG has arrived that was sent beside an ACQUIRE which has.
const TAG_ARRIVES: Duration = Duration::from_millis(10);

impl MissedCall {
    /// Looks once more. If the load still is worthless, its lease may be replaced.
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
