//! Counts what happens in a search: a rule that holds because nothing ever happens is worth nothing.

use std::sync::atomic::{AtomicU64, Ordering};

/// What shall happen somewhere in a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A GET found a value that could be used.
    Hit,
    /// ACQUIRE found a value that could be used.
    Found,
    /// A value was found whose tag had changed.
    TagChanged,
    /// FILL stored.
    Stored,
    /// FILL was refused.
    Refused,
    /// A refresh stored.
    Refreshed,
    /// END stored a value.
    Put,
    /// END of a writer that puts stored none.
    NotPut,
    /// A follower used a load that was announced after it had joined.
    SharedEarly,
    /// A follower used a load that FILL proved.
    SharedProved,
    /// FILL was accepted, but the tags had changed.
    NotProved,
    /// A command was carried out late.
    Late,
    /// ACQUIRE or TAG was refused, because of a write.
    Writing,
    /// A value past its time was returned by the call that had found it.
    ServedStale,
    /// A follower has returned its leader's.
    SharedStale,
    /// Somebody else has the ticket.
    TicketRefused,
    /// Another look has found another value.
    Moved,
    /// A lease was taken over from another process.
    TakenOver,
    /// A caller that took over from a stalled leader has used what that had loaded.
    SharedStalled,
    /// A failover has lost commands.
    Lost,
    /// On a new connection something was removed again that stood there.
    RemovedAgain,
    /// A value was read on a server that is no primary any more.
    OldHit,
    /// A server that is no primary any more has refused a command, which was sent again to the new one.
    ReadOnly,
    /// A value was used that stands beside another build's.
    HitBeside,
    /// A value was stored beside another build's.
    StoredBeside,
    /// A value was used that stands beside the lease of another build's load.
    HitBesideLoad,
    /// A value was found beside another than the one that it was stored beside.
    BaseChanged,
    /// There was nothing any more beside which a value could be stored.
    BaseGone,
    /// A refresh that had nothing to store has removed the value.
    Ended,
    /// It has found another value in its place.
    EndedBefore,
    /// It has removed another value.
    NewerRemoved,
    /// A value was set by hand.
    Set,
    /// None was, because of a write.
    NotSet,
}

/// How many events there are.
const EVENTS: usize = 33;

/// How often what happened, over all steps of a search.
#[derive(Debug)]
pub struct Coverage([AtomicU64; EVENTS]);

impl Default for Coverage {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Coverage {
    pub(super) fn note(&self, event: Event) {
        self.0[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often `event` happened.
    #[must_use]
    pub fn count(&self, event: Event) -> u64 {
        self.0[event as usize].load(Ordering::Relaxed)
    }
}
