//! The place in the near cache of a value that was read, until it is decoded.

use super::{Keeping, Kept, Name, Near, Reservation};
use std::sync::Arc;

/// The place in the near cache of a value that was read, until it is decoded.
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
    pub(crate) fn keep(self, value: Kept) {
        self.near.keep(self.name, self.reservation, value, self.keeping);
    }
}
