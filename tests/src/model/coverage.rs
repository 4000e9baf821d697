//! Counts what happens in a search. A rule that holds because nothing ever happens is worth nothing.

use std::sync::atomic::{AtomicU64, Ordering};

/// Something that must happen somewhere in a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A GET found a usable value.
    Hit,
    /// ACQUIRE found a usable value.
    Found,
    /// A value was found, but its tag had changed.
    TagChanged,
    /// FILL stored.
    Stored,
    /// FILL was refused.
    Refused,
    /// A refresh stored.
    Refreshed,
    /// END stored a value.
    Put,
    /// END of a writer that puts stored nothing.
    NotPut,
    /// A follower used a load that was announced after it had joined.
    SharedEarly,
    /// A follower used a load that FILL proved.
    SharedProved,
    /// FILL was accepted, but the tags had changed.
    NotProved,
    /// A command was carried out late.
    Late,
    /// ACQUIRE or TAG was refused because of a write.
    Writing,
    /// A value past its end was returned by the call that had found it.
    ServedStale,
    /// A follower returned its leader's value past its end.
    SharedStale,
    /// Somebody else has the refresh lease.
    RefreshLeaseRefused,
    /// The second read found another value.
    Moved,
    /// A lease was taken over from another process.
    TakenOver,
    /// A caller that took over from a stalled leader used what that leader had loaded.
    SharedStalled,
    /// A failover has lost commands.
    Lost,
    /// A new connection removed something again that stood there.
    RemovedAgain,
    /// A value was read on a server that is no longer the primary.
    OldHit,
    /// A server that is no longer the primary refused a command, which was sent again to the new one.
    ReadOnly,
    /// A value that stands beside another build's was used.
    HitBeside,
    /// A value was stored beside another build's.
    StoredBeside,
    /// A value that stands beside the lease of another build's load was used.
    HitBesideLoad,
    /// A value was found beside another base than the one that it records.
    BaseChanged,
    /// The base was gone, so nothing could be stored beside it.
    BaseGone,
    /// A refresh that had nothing to store removed the value.
    Ended,
    /// A refresh that had nothing to store found another value in its place.
    EndedBefore,
    /// A refresh that had nothing to store removed another value.
    NewerRemoved,
    /// A value was set by hand.
    Set,
    /// A value was not set by hand, because of a write.
    NotSet,
    /// A call found the lease of another build's load, and waited for that load.
    WaitedForOther,
    /// TAKEOVER gave a value a fresh head.
    ValueTakenOver,
    /// TAKEOVER replaced another load's lease.
    LeaseTakenOver,
    /// A forced refresh stored.
    StoredByForce,
    /// A forced refresh was shared with another one.
    SharedByForce,
    /// A forced refresh did not store, because another one had taken over.
    Superseded,
}

/// The number of events.
const EVENTS: usize = 39;

/// How often each event happened, over all steps of a search.
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
