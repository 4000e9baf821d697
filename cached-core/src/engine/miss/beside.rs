//! The way of a miss whose entry turns out to stand elsewhere than where the call has read.

use super::state::{LeadOutcome, MissedCall};
use crate::engine::flight::LeadKey;
use crate::engine::read::Reading;
use crate::engine::target::Base;

impl MissedCall {
    /// A value of another type stands under the key, or is being loaded, so the entry stands beside it.
    pub(super) fn goes_beside(&mut self, base: Base) {
        self.target.goes_beside(base);
        self.reads_first = true;
    }

    /// The base that the entry stood beside is over. Counted as unusable, since others might replace bases without end.
    pub(super) fn comes_back(&mut self) {
        self.target.comes_back();
        self.unusable += 1;
    }

    /// Reads where the entry stands by now; `None` if there is nothing to be served.
    pub(super) async fn reads_there(&mut self, lead: &LeadKey) -> Option<LeadOutcome> {
        let step = lead.store_step();
        if let Err(reason) = self.target.may_read() {
            return Some(LeadOutcome::Without(reason));
        }
        match self.target.read(&mut self.budget).await {
            Ok(Reading::Value(entry)) => return Some(LeadOutcome::Found(entry, step)),
            Ok(Reading::Fallback(entry)) if self.target.is_cooling_down() => {
                return Some(LeadOutcome::Found(*entry, step));
            }
            Ok(Reading::Fallback(entry)) => self.fallback = Some(entry),
            Ok(Reading::Unusable(replace)) => self.found_unusable(replace),
            Ok(Reading::Base(base)) => self.goes_beside(base),
            Ok(Reading::Moved) => self.comes_back(),
            Ok(Reading::Nothing | Reading::Lease(_) | Reading::Worthless(_)) => {}
            Err(error) => return Some(LeadOutcome::Without(error.kind.into())),
        }
        None
    }
}
