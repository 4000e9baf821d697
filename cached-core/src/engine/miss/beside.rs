//! The way of a call whose entry turns out to stand elsewhere than where it has looked.

use super::state::{Led, Lookup};
use crate::engine::flight::LeadKey;
use crate::engine::read::Seen;
use crate::engine::target::Base;

impl Lookup {
    /// A value of another type stands under the key, or is loaded: the entry stands beside it.
    pub(super) fn goes_beside(&mut self, base: Base) {
        self.target.goes_beside(base);
        self.looks_first = true;
    }

    /// The base that the entry stood beside is over. Not without end: others might replace it all the time.
    pub(super) fn comes_back(&mut self) {
        self.target.comes_back();
        self.unusable += 1;
    }

    /// Looks where the entry stands by now; `None` if there is nothing to be served.
    pub(super) async fn looks_there(&mut self, lead: &LeadKey) -> Option<Led> {
        let step = lead.store_step();
        if let Err(reason) = self.target.may_look() {
            return Some(Led::Without(reason));
        }
        match self.target.look(&mut self.budget).await {
            Ok(Seen::Value(entry)) => return Some(Led::Found(entry, step)),
            Ok(Seen::Spare(entry)) if self.target.is_barred() => return Some(Led::Found(*entry, step)),
            Ok(Seen::Spare(entry)) => self.spare = Some(entry),
            Ok(Seen::Unusable(replace)) => self.found_unusable(replace),
            Ok(Seen::Base(base)) => self.goes_beside(base),
            Ok(Seen::Moved) => self.comes_back(),
            Ok(Seen::Nothing | Seen::Lease(_) | Seen::Worthless(_)) => {}
            Err(error) => return Some(Led::Without(error.kind.into())),
        }
        None
    }
}
