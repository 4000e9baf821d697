//! What a call has seen while it waited for others' leases.

use crate::envelope::Head;

/// A call's waiting for others' leases so far.
#[derive(Default)]
pub(super) struct Waits {
    pub(super) count: usize,
    /// Whose lease it waits for, once it was seen.
    head: Option<Head>,
    /// Whose load a look has found to be worthless.
    worthless: Option<Head>,
}

impl Waits {
    /// Whether `head` is not the lease that was waited for.
    pub(super) fn is_another(&mut self, head: Head) -> bool {
        *self.head.get_or_insert(head) != head
    }

    /// Whether this is the second look that finds the load under this lease worthless. The first one may have come between
    /// its ACQUIRE and the TAG that is sent beside it.
    pub(super) fn is_worthless(&mut self, head: Head) -> bool {
        self.worthless.replace(head) == Some(head)
    }
}
