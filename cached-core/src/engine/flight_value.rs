//! What the calls that wait for one load can share.

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
    /// A batch has loaded the key, and what it returned cannot be attributed.
    Unattributed(Arc<Unattributed>),
}

/// What one run of a batch's body returned that cannot be attributed to the ids it was given. Only calls that ask for
/// all of these ids may share it: any other call might get rows that it has not asked for.
#[derive(Debug)]
pub(crate) struct Unattributed {
    /// The function whose body it was. Another function may share its entries, but treat strangers in its own way.
    pub(super) of: &'static Site,
    /// The keys that the body was run for.
    pub(super) keys: Vec<Key>,
    /// The values under ids that it was not given.
    pub(super) strangers: SharedStrangers,
}
