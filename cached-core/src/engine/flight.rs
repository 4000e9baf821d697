//! The flights of entries: calls of this process with the same key and type share one load.
//!
//! How they share one load is in `flight`.

use super::flight_value::FlightValue;
use crate::envelope::Head;
use crate::flight::Lead;
use crate::key::Key;
use crate::lease::Lease;
use crate::store::Replace;

/// The state that the calls of one flight share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FlightKey {
    pub(super) key: Key,
    pub(super) fingerprint: u64,
    pub(super) kind: FlightKind,
}

/// Which calls of an entry share a flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FlightKind {
    /// Those that read.
    Common,
    /// Those that have waited too long for the common flight.
    Late,
    /// Those that refresh by force.
    Forced,
}

pub(super) type LeadKey = Lead<FlightKey, FlightValue>;

/// The register that a leader's ACQUIRE may replace. If it has taken the place of a stalled leader, that includes the former's
/// lease.
pub(super) fn taking_place(lead: &LeadKey, lease: &Lease, replace: Replace) -> Replace {
    match lead.leases(lease.id()) {
        Some(former) if replace == Replace::Nothing => Replace::unusable(Head::lease(former).as_bytes()),
        _ => replace,
    }
}
