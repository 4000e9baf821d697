//! Taking the place of a leader that does not go on.

use super::LeadKey;
use crate::envelope::Head;
use crate::lease::Lease;
use crate::store::Replace;

/// What a leader's ACQUIRE may replace: also the lease of the one whose place it has taken, if it has.
pub(in crate::engine) fn taking_place(lead: &LeadKey, lease: &Lease, replace: Replace) -> Replace {
    match lead.leases(lease.id()) {
        Some(former) if replace == Replace::Nothing => Replace::unusable(Head::lease(former).as_bytes()),
        _ => replace,
    }
}
