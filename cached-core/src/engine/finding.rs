//! What the calls that wait for one load share.

use crate::envelope::Entry;
use crate::key::Key;
use crate::many::SharedStrangers;
use crate::site::Site;
use std::sync::Arc;

/// What a flight ends with.
#[derive(Debug, Clone)]
pub(crate) enum FlightValue {
    /// The value of the flight's key.
    Value(Entry),
    /// A batch's load was for the key, and what it has returned cannot be attributed.
    Unattributed(Arc<Unattributed>),
}

/// What one run of a batch's body has returned that cannot be attributed to the ids it was given: for calls that ask for all of
/// these ids. Any other call might get rows that it has not asked for.
#[derive(Debug)]
pub(crate) struct Unattributed {
    /// The function whose body it was. Another one may share its entries, and answer for strangers in its own way.
    pub(super) of: &'static Site,
    /// What the body was run for.
    pub(super) keys: Vec<Key>,
    /// The values under other ids.
    pub(super) strangers: SharedStrangers,
}
