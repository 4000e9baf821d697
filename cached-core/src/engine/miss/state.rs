//! The state of a missed call, and the outcomes of its steps.

use super::batch_member::Member;
use crate::engine::budget::Budget;
use crate::engine::flight_value::{FlightValue, Unattributed};
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

/// One miss on its way to a value, or to the permission to load.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on each other, learned at different steps")]
pub(crate) struct MissedCall {
    pub(crate) target: Target,
    pub(super) nesting: Nesting,
    pub(super) budget: Budget,
    /// It refreshes by force: see [`forced`](super::forced).
    pub(super) is_forced: bool,
    /// Why the first read failed; the store is not asked again.
    pub(super) without: Option<MissReason>,
    /// What ACQUIRE may replace: a register that is unusable, or the lease of a worthless load.
    pub(super) replace: Replace,
    /// The lease whose load the first read found to be worthless.
    pub(super) suspect: Option<Head>,
    /// The entry's place has changed, or it holds a value that only a read can judge: read before the next ACQUIRE.
    pub(super) reads_first: bool,
    /// A value past its end, to be served if the load fails.
    pub(super) fallback: Option<Box<Entry>>,
    /// Unusable values found so far.
    pub(super) unusable: u32,
    /// The flight that ended with what cannot be attributed.
    pub(super) unattributed: Option<Follow<FlightValue>>,
    /// How many flights ended that way so far.
    pub(super) unattributed_count: u32,
    /// The reason for the miss was counted.
    pub(super) counted: bool,
    /// When waiting for others ends.
    pub(super) deadline: Instant,
    /// That time was over once, and the call has joined the others that have waited too long.
    pub(super) is_late: bool,
    /// What it shares with the other calls of its batch.
    pub(super) member: Option<Member>,
}

/// What leading led to, before the followers learn of it.
pub(super) enum LeadOutcome {
    /// Serve this value, found by the step of this number.
    Found(Entry, u32),
    /// Load under this lease; with the stamps of the tags as they are before the load.
    Granted(Lease, Vec<Head>),
    /// Load under this refresh lease, over this value.
    Refreshing(Box<RefreshLease>, Entry),
    /// Load without the store.
    Without(MissReason),
    /// A writer is at work: load, but store nothing.
    Writing,
}

/// The answers to ACQUIRE and TAG.
pub(super) struct AcquireAnswer {
    pub(super) acquired: Acquired,
    /// `None` if there were no random bits for one.
    pub(super) lease: Option<Lease>,
    /// `None` if a writer is at work on one of the tags.
    pub(super) stamps: Option<Vec<Head>>,
}

/// What following a flight led to.
pub(super) enum FollowOutcome {
    Done(Next),
    /// The flight had nothing for this call; the next one may.
    NextFlight,
    /// A batch loaded this, and nothing says which part of it is the value.
    Unattributed(Arc<Unattributed>),
    /// This call has waited too long.
    Late,
}

/// What waiting for someone else's lease led to.
pub(super) enum WaitOutcome {
    /// Waiting is over, with this outcome.
    Found(LeadOutcome),
    /// The lease no longer stands in the way: try again.
    Free,
}

/// How a call has waited for others' leases so far.
#[derive(Default)]
pub(super) struct LeaseWaits {
    pub(super) count: usize,
    /// The lease that it waits for, once a read has found it.
    pub(super) head: Option<Head>,
    /// The lease whose load the last read found to be worthless.
    pub(super) worthless: Option<Head>,
}

impl LeaseWaits {
    /// The entry stands elsewhere than where the call has waited, so it forgets the leases that stood there.
    pub(super) fn moves(&mut self) {
        (self.head, self.worthless) = (None, None);
    }

    /// Whether `head` is another lease than the one that the call has waited for.
    pub(super) fn is_another(&mut self, head: Head) -> bool {
        *self.head.get_or_insert(head) != head
    }

    /// Whether this is the second read in a row that finds the load under this lease worthless. The first one may have
    /// come between its ACQUIRE and the TAG that is sent beside it.
    pub(super) fn is_worthless(&mut self, head: Head) -> bool {
        self.worthless.replace(head) == Some(head)
    }
}
