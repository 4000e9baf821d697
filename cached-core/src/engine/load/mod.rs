//! The permission to load, and what becomes of the result.

pub(crate) mod fill;
pub(crate) mod running;

use super::bulkhead::Place;
use super::flight::FlightKey;
use super::flight_value::{FlightValue, Unattributed};
use super::nesting::{self, Loading};
use super::refresh::due::DueRefresh;
use super::refresh::lease::RefreshLease;
use super::refresh::local::RefreshClaim;
use super::target::Target;
use super::{Engine, SiteState};
use crate::envelope::{Content, Entry, Head};
use crate::flight::Lead;
use crate::flight::pulse::Pulse;
use crate::invalidation::Tag;
use crate::key::Key;
use crate::lease::Lease;
use crate::reason::UnstoredReason;
use crate::ttl::Lifetime;
use fill::{Fill, start};
use std::sync::Arc;
use tokio::time::Instant;

/// What a call does next.
#[derive(Debug)]
pub(super) enum Next {
    /// Decode this and return it.
    Serve(Entry),
    /// Run the function.
    Load(Box<LoadPermit>),
    /// A batch that asks for all of these ids is served this, and has no value under this key. Any other call asks for
    /// what is next once more.
    Unattributed(Arc<Unattributed>),
}

/// Permission for one load.
#[derive(Debug)]
pub(super) struct LoadPermit {
    target: Target,
    kind: PermitKind,
    /// Held while the load runs.
    room: LoadRoom,
    /// A value that may be returned if the load fails or takes too long.
    fallback: Option<Box<Entry>>,
}

/// Room among the bounded loads.
#[derive(Debug)]
pub(super) enum LoadRoom {
    /// Not needed.
    None,
    Taken(Place),
    /// Needed; a batch takes it once for all of its loads.
    Owed,
}

#[derive(Debug)]
enum PermitKind {
    /// One load in all processes; stored and shared. The lease stands before the flight, so that it is released before
    /// the followers wake. Last, the stamps of the tags before the load.
    Leased(Lease, Lead<FlightKey, FlightValue>, Vec<Head>),
    /// One load in all processes, over a value that is still there. It has a lead if callers wait for it, and a claim
    /// if they are served meanwhile.
    Refresh(Box<RefreshPermit>),
    /// A refresh in the background, before the other processes were asked.
    Claimed(Box<DueRefresh>),
    /// A load by force: stored over the value that was taken over, or under a lease.
    Forced(Box<ForcedPermit>),
    /// One load in this process; shared, not stored.
    Shared(Lead<FlightKey, FlightValue>),
    /// For this caller only.
    Alone,
}

/// What TAKEOVER has given to a forced refresh.
#[derive(Debug)]
pub(super) struct ForcedPermit {
    /// Held if no value stood there. In any case its bits are the stamp of the value that is stored.
    pub(super) lease: Lease,
    /// The fresh head of the value that is there.
    pub(super) over: Option<Head>,
    /// The stamps of the tags, as they are before the load.
    pub(super) stamps: Vec<Head>,
    /// The flight of the calls that share the load, and the number of its step TAKEOVER: who has come since does not
    /// share.
    pub(super) lead: Option<(Lead<FlightKey, FlightValue>, u32)>,
}

#[derive(Debug)]
struct RefreshPermit {
    lease: RefreshLease,
    lead: Option<Lead<FlightKey, FlightValue>>,
    claim: Option<RefreshClaim>,
}

/// A value that may be stored.
#[derive(Debug)]
pub(super) struct EncodedValue {
    pub(super) content: Content<Vec<u8>>,
    /// How long to store it, or why it is only shared.
    pub(super) ttl: Result<Lifetime, UnstoredReason>,
    /// The value tags.
    pub(super) names: Vec<Tag>,
}

impl LoadPermit {
    pub(super) fn leased(target: Target, lead: Lead<FlightKey, FlightValue>, lease: Lease, stamps: Vec<Head>) -> Self {
        Self::new(target, PermitKind::Leased(lease, lead, stamps), LoadRoom::None)
    }

    /// Permission to refresh the value `fallback`, which is served if the load fails.
    pub(super) fn refreshing(
        target: Target,
        lease: RefreshLease,
        lead: Option<Lead<FlightKey, FlightValue>>,
        claim: Option<RefreshClaim>,
        fallback: Entry,
    ) -> Self {
        target.site.counters.refreshes.one();
        Self {
            target,
            kind: PermitKind::Refresh(Box::new(RefreshPermit { lease, lead, claim })),
            room: LoadRoom::None,
            fallback: Some(Box::new(fallback)),
        }
    }

    /// Permission to refresh the value `fallback`, which the call is served at once.
    pub(super) fn claimed(target: Target, fallback: Entry, due: DueRefresh) -> Self {
        Self {
            target,
            kind: PermitKind::Claimed(Box::new(due)),
            room: LoadRoom::None,
            fallback: Some(Box::new(fallback)),
        }
    }

    /// Permission to load by force. If the load fails there is no fallback: the caller has asked for a new value.
    pub(super) fn forced(target: Target, permit: ForcedPermit, room: LoadRoom) -> Self {
        Self::new(target, PermitKind::Forced(Box::new(permit)), room)
    }

    /// Adds a value that is served if the load fails.
    pub(super) fn or_fallback(self, fallback: Option<Box<Entry>>) -> Self {
        Self { fallback, ..self }
    }

    /// Counts a load that a call makes itself, not one in the background.
    pub(super) fn count_as_load(&self) {
        self.target.begins_load(self.fallback.as_deref());
    }

    pub(super) fn shared(target: Target, lead: Lead<FlightKey, FlightValue>, room: LoadRoom) -> Self {
        target.site.counters.bypassed.one();
        Self::new(target, PermitKind::Shared(lead), room)
    }

    pub(super) fn alone(target: Target, room: LoadRoom) -> Self {
        target.site.counters.bypassed.one();
        Self::new(target, PermitKind::Alone, room)
    }

    fn new(target: Target, kind: PermitKind, room: LoadRoom) -> Self {
        if target.is_forced() {
            target.site.counters.refreshes.one();
        }
        target.begins_load(None);
        Self { target, kind, room, fallback: None }
    }

    /// Whether room has to be taken before the load may begin.
    pub(super) fn owes_room(&self) -> bool {
        matches!(self.room, LoadRoom::Owed)
    }

    /// The load begins.
    pub(super) fn begin(self) -> ActiveLoad {
        let loads = self.lead().map_or(0, Lead::load_step);
        let step = match &self.kind {
            PermitKind::Forced(permit) => permit.lead.as_ref().map_or(0, |(_, taken_over)| *taken_over),
            _ => loads,
        };
        ActiveLoad { permit: self, step, began: Instant::now() }
    }

    /// The flight of the calls that wait for the load, if any do.
    fn lead(&self) -> Option<&Lead<FlightKey, FlightValue>> {
        match &self.kind {
            PermitKind::Leased(_, lead, _) | PermitKind::Shared(lead) => Some(lead),
            PermitKind::Refresh(permit) => permit.lead.as_ref(),
            PermitKind::Forced(permit) => permit.lead.as_ref().map(|(lead, _)| lead),
            PermitKind::Claimed(_) | PermitKind::Alone => None,
        }
    }
}

/// A load that has begun. Dropped before it has ended, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct ActiveLoad {
    permit: LoadPermit,
    /// The step that the load counts as: who had joined before it may share.
    step: u32,
    began: Instant,
}

impl ActiveLoad {
    /// Makes calls from inside of the load known as such.
    pub(super) fn loading(&self) -> Arc<Loading> {
        nesting::loading(self.permit.target.engine.id, Key::clone(&self.permit.target.key))
    }

    /// The pulse by which the calls that wait for the load see whether it is polled.
    pub(super) fn pulse(&self) -> Option<Arc<Pulse>> {
        self.permit.lead().map(Lead::pulse)
    }

    /// Begins to renew the lease, since the load takes time.
    pub(super) fn keep_alive(&mut self, pulse: Option<Arc<Pulse>>) {
        match &mut self.permit.kind {
            PermitKind::Leased(lease, ..) => lease.keep_alive(pulse),
            PermitKind::Refresh(permit) => permit.lease.lease.keep_alive(pulse),
            PermitKind::Forced(permit) if permit.over.is_none() => permit.lease.keep_alive(pulse),
            PermitKind::Forced(_) | PermitKind::Claimed(_) | PermitKind::Shared(_) | PermitKind::Alone => {}
        }
    }

    /// The key that is loaded.
    pub(super) fn key(&self) -> &Key {
        &self.permit.target.key
    }

    /// The lease to be renewed while the load runs, if there is one.
    pub(super) fn to_renew(&self) -> Option<(Key, Head)> {
        match &self.permit.kind {
            PermitKind::Leased(lease, ..) => Some(lease.to_renew()),
            PermitKind::Refresh(permit) => Some(permit.lease.lease.to_renew()),
            PermitKind::Forced(permit) if permit.over.is_none() => Some(permit.lease.to_renew()),
            PermitKind::Forced(_) | PermitKind::Claimed(_) | PermitKind::Shared(_) | PermitKind::Alone => None,
        }
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.permit.target.engine
    }

    pub(super) fn site(&self) -> &SiteState {
        &self.permit.target.site
    }

    pub(super) fn target(&self) -> &Target {
        &self.permit.target
    }

    /// The body has returned.
    pub(super) fn loaded(&self, is_ok: bool) {
        self.permit.target.loaded(self.began.elapsed(), is_ok);
    }

    /// A value that may be returned if the load fails or takes too long.
    pub(super) fn fallback(&self) -> Option<&Entry> {
        self.permit.fallback.as_deref()
    }

    /// Whether the other processes are still to be asked; then the call is served its fallback at once.
    pub(super) fn is_claimed(&self) -> bool {
        matches!(self.permit.kind, PermitKind::Claimed(_))
    }

    /// Asks the other processes; `None` if there is nothing to load.
    pub(super) async fn granted(self) -> Option<Self> {
        let LoadPermit { target, kind, fallback, .. } = self.permit;
        let (PermitKind::Claimed(due), Some(fallback)) = (kind, fallback) else { return None };
        target.granted(*fallback, *due).await.ok().map(LoadPermit::begin)
    }

    /// Whether anybody but the caller can use the value, so that it is worth encoding.
    pub(super) fn is_wanted(&self) -> bool {
        !matches!(self.permit.kind, PermitKind::Alone)
    }

    /// The load failed: nothing to share or to store.
    pub(super) fn failed(self) {
        if let Some(refresh) = self.unshared() {
            refresh.failed();
        }
    }

    /// The load succeeded, but nothing says which part of what it returned belongs to this key: nothing to store.
    /// `returned` is what the calls that wait may share.
    pub(super) fn unattributed(self, returned: Option<Arc<Unattributed>>) {
        self.permit.target.unstored(UnstoredReason::Unattributed);
        let Self { permit, step, began } = self;
        let LoadPermit { target, kind, room, fallback } = permit;
        match (kind, returned) {
            (PermitKind::Leased(lease, lead, _), Some(returned)) => {
                drop(lease);
                lead.found(FlightValue::Unattributed(returned), step);
            }
            (PermitKind::Shared(lead), Some(returned)) => lead.found(FlightValue::Unattributed(returned), step),
            (PermitKind::Forced(permit), Some(returned)) => {
                let ForcedPermit { lease, lead, .. } = *permit;
                drop(lease);
                if let Some((lead, _)) = lead {
                    lead.found(FlightValue::Unattributed(returned), step);
                }
            }
            (kind, _) => Self { permit: LoadPermit { target, kind, room, fallback }, step, began }.failed(),
        }
    }

    /// The load succeeded, but its value cannot be encoded: nothing to share or to store.
    pub(super) fn unencoded(self, reason: UnstoredReason) {
        self.permit.target.unstored(reason);
        if let PermitKind::Forced(permit) = self.permit.kind {
            return permit.unencoded(self.permit.target);
        }
        if let Some(refresh) = self.unshared() {
            refresh.unencoded();
        }
    }

    /// Sends the calls that wait to load for themselves. A refresh has more to do about the value that is still there.
    fn unshared(self) -> Option<FailedRefresh> {
        match self.permit.kind {
            PermitKind::Leased(lease, lead, _) => {
                drop(lease);
                lead.failed();
            }
            PermitKind::Refresh(permit) => {
                let RefreshPermit { lease, lead, claim } = *permit;
                return Some(FailedRefresh { target: self.permit.target, lease, lead, claim });
            }
            PermitKind::Forced(permit) => {
                let ForcedPermit { lease, lead, .. } = *permit;
                drop(lease);
                if let Some((lead, _)) = lead {
                    lead.failed();
                }
            }
            PermitKind::Shared(lead) => lead.failed(),
            PermitKind::Claimed(_) | PermitKind::Alone => {}
        }
        None
    }

    /// Shares the value. Returns what is left to be done to store it, in the background. A caller that waited for that
    /// would hold the value meanwhile, and its future would be `Send` only if the value is.
    pub(super) fn share(self, value: EncodedValue) -> Option<Fill> {
        let EncodedValue { content, ttl, names } = value;
        let Self { permit: LoadPermit { target, kind, room, .. }, step, began } = self;
        if let LoadRoom::Taken(room) = room {
            drop(room);
        }
        let load_time = began.elapsed();
        let entry = Entry::loaded(content);
        let is_forced = matches!(kind, PermitKind::Forced(_));
        let (lead, lease, stamps, over, claim) = match kind {
            PermitKind::Leased(lease, lead, stamps) => (Some(lead), lease, stamps, None, None),
            PermitKind::Refresh(permit) => {
                let RefreshPermit { lease: RefreshLease { lease, over, stamps }, lead, claim } = *permit;
                (lead, lease, stamps, Some(over), claim)
            }
            PermitKind::Forced(permit) => {
                let ForcedPermit { lease, over, stamps, lead } = *permit;
                (lead.map(|(lead, _)| lead), lease, stamps, over, None)
            }
            PermitKind::Shared(lead) => {
                target.unstored(ttl.err().unwrap_or(UnstoredReason::NoLease));
                lead.found(FlightValue::Value(entry), step);
                return None;
            }
            PermitKind::Claimed(_) | PermitKind::Alone => {
                target.unstored(UnstoredReason::NoLease);
                return None;
            }
        };
        if let Some(lead) = &lead {
            lead.loaded(FlightValue::Value(entry.clone()), step);
        }
        Some(Fill { target, lead, lease, over, is_forced, entry, ttl, stamps, names, load_time, claim })
    }
}

impl ForcedPermit {
    /// Removes the value in the background, because the source has answered. Only then do the followers wake.
    fn unencoded(self, target: Target) {
        let Self { lease, over, lead, .. } = self;
        let engine = Arc::clone(&target.engine);
        start(&engine, async move {
            if let Some(over) = over {
                target.end_value(over).await;
            }
            drop(lease);
            if let Some((lead, _)) = lead {
                lead.failed();
            }
        });
    }
}

/// A refresh that has nothing to share or to store.
struct FailedRefresh {
    target: Target,
    lease: RefreshLease,
    lead: Option<Lead<FlightKey, FlightValue>>,
    claim: Option<RefreshClaim>,
}

impl FailedRefresh {
    /// Removes the value in the background, because the source has answered. Only then do the followers wake, so that
    /// they do not find it.
    fn unencoded(self) {
        let Self { target, lease, lead, claim } = self;
        let engine = Arc::clone(&target.engine);
        start(&engine, async move {
            target.end_value(lease.over).await;
            drop(lease);
            drop(claim);
            if let Some(lead) = lead {
                lead.failed();
            }
        });
    }

    /// Makes the value cool down: in this process at once, in all others in the background. Only then do the followers
    /// wake, so that they find it cooling down.
    fn failed(self) {
        let Self { target, lease, lead, claim } = self;
        let engine = Arc::clone(&target.engine);
        let now = engine.clock.now();
        let until = now + engine.settings.refresh_cooldown;
        match claim {
            Some(claim) => claim.cool_down(until),
            None => engine.local_refreshes.cool_down(target.place(), now, until),
        }
        // Without room the lease is released, and another process may try at once.
        start(&engine, async move {
            lease.cool_down(&target).await;
            if let Some(lead) = lead {
                lead.failed();
            }
        });
    }
}
