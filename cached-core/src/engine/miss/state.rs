//! What a call knows on its way, and what its steps lead to.

use super::member::Member;
use crate::engine::budget::Budget;
use crate::engine::finding::{FlightValue, Unattributed};
use crate::engine::load::Next;
use crate::engine::nesting::Nesting;
use crate::engine::refresh::lease::RefreshLease;
use crate::engine::target::Target;
use crate::envelope::{Entry, Head};
use crate::flight::Follow;
use crate::lease::Lease;
use crate::reason::MissReason;
use crate::store::{Acquired, Replace};
use std::sync::Arc;
use tokio::time::Instant;

/// One call on its way.
#[derive(Debug)]
pub(crate) struct MissedCall {
    pub(crate) target: Target,
    pub(super) nesting: Nesting,
    pub(super) budget: Budget,
    /// The first look has failed: there is no use in asking the store again.
    pub(super) without: Option<MissReason>,
    /// The register was found to be unusable, or the lease of a worthless load, and may be replaced.
    pub(super) replace: Replace,
    /// The lease whose load the first look has found to be worthless.
    pub(super) suspect: Option<Head>,
    /// The entry's place has changed, or a value was found in it that only a look can judge.
    pub(super) reads_first: bool,
    /// A value past its end, to be served if the load fails.
    pub(super) fallback: Option<Box<Entry>>,
    pub(super) unusable: u32,
    /// The flight that has ended with what cannot be attributed.
    pub(super) unattributed: Option<Follow<FlightValue>>,
    /// Such flights so far.
    pub(super) unattributed_count: u32,
    /// Why the call does not hit was counted.
    pub(super) counted: bool,
    /// When waiting for others ends.
    pub(super) deadline: Instant,
    /// That time was over once: the call has joined those who have waited for too long.
    pub(super) is_late: bool,
    /// What it shares with the others of its batch.
    pub(super) member: Option<Member>,
}

/// What leading led to, before the flight is told.
pub(super) enum LeadOutcome {
    Found(Entry, u32),
    /// Load under this lease; with the stamps of the tags as they are before the load.
    Granted(Lease, Vec<Head>),
    /// Load under this ticket, over this value.
    Renewing(Box<RefreshLease>, Entry),
    /// Load without the store.
    Without(MissReason),
    /// A writer is at work: load, store nothing.
    Writing,
}

/// What ACQUIRE and TAG were answered.
pub(super) struct AcquireAnswer {
    pub(super) acquired: Acquired,
    /// `None` if there are no random bits for one.
    pub(super) lease: Option<Lease>,
    /// `None` if a writer is at work on one of the tags.
    pub(super) stamps: Option<Vec<Head>>,
}

/// What following a flight led to.
pub(super) enum FollowOutcome {
    Done(Next),
    /// The flight had nothing for this call: the next one may.
    NextFlight,
    /// It cannot be told what of this is the value.
    Unattributed(Arc<Unattributed>),
    /// This call has waited for too long.
    Late,
}

/// What waiting for someone else's lease led to.
pub(super) enum WaitOutcome {
    /// Something to go on with.
    Found(LeadOutcome),
    /// Nothing stands under the key any more: ACQUIRE again.
    Free,
}

/// A call's waiting for others' leases so far.
#[derive(Default)]
pub(super) struct LeaseWaits {
    pub(super) count: usize,
    /// Whose lease it waits for, once it was seen.
    pub(super) head: Option<Head>,
    /// Whose load a look has found to be worthless.
    pub(super) worthless: Option<Head>,
}

impl LeaseWaits {
    /// The entry stands elsewhere than where the call has waited: the leases there are others'.
    pub(super) fn moves(&mut self) {
        (self.head, self.worthless) = (None, None);
    }

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
