//! The flights of entries: calls of this process that mean the same key and the same type share one load.

use super::finding::FlightValue;
use crate::envelope::Head;
use crate::flight::Lead;
use crate::key::Key;
use crate::lease::Lease;
use crate::store::Replace;

/// Callers share a flight if they mean the same key and the same type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FlightKey {
    pub(super) key: Key,
    pub(super) fingerprint: u64,
    /// The flight of those who have waited for another one for too long.
    pub(super) is_late: bool,
}

pub(super) type LeadKey = Lead<FlightKey, FlightValue>;

/// What a leader's ACQUIRE may replace: also the lease of the one whose place it has taken, if it has.
pub(super) fn taking_place(lead: &LeadKey, lease: &Lease, replace: Replace) -> Replace {
    match lead.leases(lease.id()) {
        Some(former) if replace == Replace::Nothing => Replace::unusable(Head::lease(former).as_bytes()),
        _ => replace,
    }
}
