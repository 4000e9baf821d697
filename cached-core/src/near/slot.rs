//! A place in the near cache for a value that has been read but not decoded yet.

use super::{Keeping, KeptValue, Name, Near, Reservation};
use std::sync::Arc;

/// A place in the near cache for a value that has been read but not decoded yet.
#[derive(Debug)]
pub(crate) struct Slot {
    near: Arc<Near>,
    name: Name,
    reservation: Reservation,
    keeping: Keeping,
}

impl Slot {
    pub(crate) fn new(near: Arc<Near>, name: Name, reservation: Reservation, keeping: Keeping) -> Self {
        Self { near, name, reservation, keeping }
    }

    /// Keeps the decoded value.
    pub(crate) fn keep(self, value: KeptValue) {
        self.near.keep(self.name, self.reservation, value, self.keeping);
    }
}
