//! The permission to load, and what becomes of the result.

pub(crate) mod background;
pub(crate) mod fill;
pub(crate) mod running;

use super::bulkhead::Place;
use super::finding::{Finding, Unattributed};
use super::flight::FlightKey;
use super::nesting::{self, Loading};
use super::refresh::due::Due;
use super::refresh::lease::Ticket;
use super::refresh::local::Claim;
use super::target::Target;
use super::{Engine, SiteState};
use crate::envelope::{Entry, Head};
use crate::flight::Lead;
use crate::flight::pulse::Pulse;
use crate::invalidation::Tag;
use crate::key::Key;
use crate::lease::Lease;
use crate::reason::UnstoredReason;
use crate::ttl::Lifetime;
use fill::{Closing, start};
use std::sync::Arc;
use tokio::time::Instant;

/// What a call does next.
#[derive(Debug)]
pub(super) enum Turn {
    /// Decode this and return it.
    Value(Entry),
    /// Run the function.
    Load(Box<Permit>),
    /// A batch that asks for all of this is served it, and has no value under this key. Any other call looks
    /// further.
    Unattributed(Arc<Unattributed>),
}

/// Permission for one load.
#[derive(Debug)]
pub(super) struct Permit {
    target: Target,
    kind: Kind,
    /// Held while the load runs.
    room: Room,
    /// A value that may be returned if the load fails or takes too long.
    spare: Option<Box<Entry>>,
}

/// Room among the loads that are bounded.
#[derive(Debug)]
pub(super) enum Room {
    /// Not needed.
    None,
    Taken(Place),
    /// Needed, and to be taken once for all loads of a batch.
    Owed,
}

#[derive(Debug)]
enum Kind {
    /// One load in all processes; stored and shared.
    /// The lease stands first: it is released before followers wake. Last, the stamps of the tags before the load.
    Leased(Lease, Lead<FlightKey, Finding>, Vec<Head>),
    /// One load in all processes, over a value that is still there. With a lead, if callers wait for it; with a claim, if
    /// they are served meanwhile.
    Renewing(Box<Renewing>),
    /// As that, before other processes were asked: in the background.
    Claimed(Box<Due>),
    /// One load in this process; shared, not stored.
    Shared(Lead<FlightKey, Finding>),
    /// For this caller only.
    Alone,
}

#[derive(Debug)]
struct Renewing {
    ticket: Ticket,
    lead: Option<Lead<FlightKey, Finding>>,
    claim: Option<Claim>,
}

/// A value that may be stored.
#[derive(Debug)]
pub(super) struct Storable {
    /// `None` stands for a `None`.
    pub(super) payload: Option<Vec<u8>>,
    /// Or why it is not to be stored: then it is only shared.
    pub(super) ttl: Result<Lifetime, UnstoredReason>,
    /// The tags that only the value tells.
    pub(super) names: Vec<Tag>,
}

impl Permit {
    pub(super) fn leased(target: Target, lead: Lead<FlightKey, Finding>, lease: Lease, stamps: Vec<Head>) -> Self {
        Self::new(target, Kind::Leased(lease, lead, stamps), Room::None)
    }

    /// For the value `spare`, which is served if the load fails.
    pub(super) fn renewing(
        target: Target,
        ticket: Ticket,
        lead: Option<Lead<FlightKey, Finding>>,
        claim: Option<Claim>,
        spare: Entry,
    ) -> Self {
        target.site.counters.refreshes.one();
        Self {
            target,
            kind: Kind::Renewing(Box::new(Renewing { ticket, lead, claim })),
            room: Room::None,
            spare: Some(Box::new(spare)),
        }
    }

    /// For the value `spare`, which the call is served at once.
    pub(super) fn claimed(target: Target, spare: Entry, due: Due) -> Self {
        Self { target, kind: Kind::Claimed(Box::new(due)), room: Room::None, spare: Some(Box::new(spare)) }
    }

    /// With a value that is served if the load fails.
    pub(super) fn or_spare(self, spare: Option<Box<Entry>>) -> Self {
        Self { spare, ..self }
    }

    /// The load is one of a call's, not one in the background.
    pub(super) fn count_as_load(&self) {
        self.target.site.counters.loads.one();
    }

    pub(super) fn shared(target: Target, lead: Lead<FlightKey, Finding>, room: Room) -> Self {
        target.site.counters.bypassed.one();
        Self::new(target, Kind::Shared(lead), room)
    }

    pub(super) fn alone(target: Target, room: Room) -> Self {
        target.site.counters.bypassed.one();
        Self::new(target, Kind::Alone, room)
    }

    fn new(target: Target, kind: Kind, room: Room) -> Self {
        target.site.counters.loads.one();
        Self { target, kind, room, spare: None }
    }

    /// Whether room has to be taken before the load may begin.
    pub(super) fn owes_room(&self) -> bool {
        matches!(self.room, Room::Owed)
    }

    /// The load begins.
    pub(super) fn begin(self) -> Begun {
        let step = self.lead().map_or(0, Lead::load_step);
        Begun { permit: self, step, began: Instant::now() }
    }

    /// The flight of those who wait for the load, if anybody does.
    fn lead(&self) -> Option<&Lead<FlightKey, Finding>> {
        match &self.kind {
            Kind::Leased(_, lead, _) | Kind::Shared(lead) => Some(lead),
            Kind::Renewing(renewing) => renewing.lead.as_ref(),
            Kind::Claimed(_) | Kind::Alone => None,
        }
    }
}

/// A load that has begun. Dropped before it has ended, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Begun {
    permit: Permit,
    step: u32,
    began: Instant,
}

impl Begun {
    /// What tells calls from inside of the load that they are.
    pub(super) fn loading(&self) -> Arc<Loading> {
        nesting::loading(self.permit.target.engine.id, Arc::clone(&self.permit.target.key))
    }

    /// By which those who wait for the load see whether it is polled.
    pub(super) fn pulse(&self) -> Option<Arc<Pulse>> {
        self.permit.lead().map(Lead::pulse)
    }

    /// The load takes time: its lease has to be renewed.
    pub(super) fn keep_alive(&mut self, pulse: Option<Arc<Pulse>>) {
        match &mut self.permit.kind {
            Kind::Leased(lease, ..) => lease.keep_alive(pulse),
            Kind::Renewing(renewing) => renewing.ticket.lease.keep_alive(pulse),
            Kind::Claimed(_) | Kind::Shared(_) | Kind::Alone => {}
        }
    }

    /// The key that is loaded.
    pub(super) fn key(&self) -> &Key {
        &self.permit.target.key
    }

    /// The lease to be renewed while the load runs, if there is one.
    pub(super) fn to_renew(&self) -> Option<(Key, Head)> {
        match &self.permit.kind {
            Kind::Leased(lease, ..) => Some(lease.to_renew()),
            Kind::Renewing(renewing) => Some(renewing.ticket.lease.to_renew()),
            Kind::Claimed(_) | Kind::Shared(_) | Kind::Alone => None,
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
    pub(super) fn spare(&self) -> Option<&Entry> {
        self.permit.spare.as_deref()
    }

    /// Whether other processes are still to be asked: the call is served its spare value at once.
    pub(super) fn is_claimed(&self) -> bool {
        matches!(self.permit.kind, Kind::Claimed(_))
    }

    /// Asks the other processes; `None` if there is nothing to be loaded.
    pub(super) async fn granted(self) -> Option<Self> {
        let Permit { target, kind, spare, .. } = self.permit;
        let (Kind::Claimed(due), Some(spare)) = (kind, spare) else { return None };
        target.granted(*spare, *due).await.ok().map(Permit::begin)
    }

    /// Whether anybody but the caller has a use for the value, so that it is worth encoding.
    pub(super) fn is_wanted(&self) -> bool {
        !matches!(self.permit.kind, Kind::Alone)
    }

    /// The load failed: nothing to share or to store.
    pub(super) fn failed(self) {
        if let Some(refresh) = self.unshared() {
            refresh.failed();
        }
    }

    /// The load went well, but which of what it has returned is this key's cannot be told: nothing to store. `returned` is what
    /// those who wait may share.
    pub(super) fn unattributed(self, returned: Option<Arc<Unattributed>>) {
        self.permit.target.unstored(UnstoredReason::Unattributed);
        let Self { permit, step, began } = self;
        let Permit { target, kind, room, spare } = permit;
        match (kind, returned) {
            (Kind::Leased(lease, lead, _), Some(returned)) => {
                drop(lease);
                lead.found(Finding::Unattributed(returned), step);
            }
            (Kind::Shared(lead), Some(returned)) => lead.found(Finding::Unattributed(returned), step),
            (kind, _) => Self { permit: Permit { target, kind, room, spare }, step, began }.failed(),
        }
    }

    /// The load went well, but its value cannot be encoded: nothing to share or to store.
    pub(super) fn unencoded(self, reason: UnstoredReason) {
        self.permit.target.unstored(reason);
        if let Some(refresh) = self.unshared() {
            refresh.unencoded();
        }
    }

    /// Those who wait are to load for themselves. A refresh has more to do, over the value that is still there.
    fn unshared(self) -> Option<Refresh> {
        match self.permit.kind {
            Kind::Leased(lease, lead, _) => {
                drop(lease);
                lead.failed();
            }
            Kind::Renewing(renewing) => {
                let Renewing { ticket, lead, claim } = *renewing;
                return Some(Refresh { target: self.permit.target, ticket, lead, claim });
            }
            Kind::Shared(lead) => lead.failed(),
            Kind::Claimed(_) | Kind::Alone => {}
        }
        None
    }

    /// Shares the value. With what is left to be done to store it, in the background, if anything is: who waited for that would
    /// have to hold the value meanwhile, and be `Send` only if that is.
    pub(super) fn share(self, storable: Storable) -> Option<Closing> {
        let Storable { payload, ttl, names } = storable;
        let Self { permit: Permit { target, kind, room, .. }, step, began } = self;
        if let Room::Taken(room) = room {
            drop(room);
        }
        let load_time = began.elapsed();
        let entry = Entry::loaded(payload);
        let (lead, lease, stamps, over, claim) = match kind {
            Kind::Leased(lease, lead, stamps) => (Some(lead), lease, stamps, None, None),
            Kind::Renewing(renewing) => {
                let Renewing { ticket: Ticket { lease, over, stamps }, lead, claim } = *renewing;
                (lead, lease, stamps, Some(over), claim)
            }
            Kind::Shared(lead) => {
                target.unstored(ttl.err().unwrap_or(UnstoredReason::NoLease));
                lead.found(Finding::Value(entry), step);
                return None;
            }
            Kind::Claimed(_) | Kind::Alone => {
                target.unstored(UnstoredReason::NoLease);
                return None;
            }
        };
        if let Some(lead) = &lead {
            lead.loaded(Finding::Value(entry.clone()), step);
        }
        Some(Closing { target, lead, lease, over, entry, ttl, stamps, names, load_time, claim })
    }
}

/// A refresh that has brought nothing to share or to store.
struct Refresh {
    target: Target,
    ticket: Ticket,
    lead: Option<Lead<FlightKey, Finding>>,
    claim: Option<Claim>,
}

impl Refresh {
    /// Removes the value in the background: the source has answered. Then followers hear of it, who are not to find it.
    fn unencoded(self) {
        let Self { target, ticket, lead, claim } = self;
        let engine = Arc::clone(&target.engine);
        start(&engine, async move {
            target.end_value(ticket.over).await;
            drop(ticket);
            drop(claim);
            if let Some(lead) = lead {
                lead.failed();
            }
        });
    }

    /// Bars the value here at once, and everywhere in the background; then followers hear of it, who are to find it barred.
    fn failed(self) {
        let Self { target, ticket, lead, claim } = self;
        let engine = Arc::clone(&target.engine);
        let now = engine.clock.now();
        let until = now + engine.settings.throttle;
        match claim {
            Some(claim) => claim.bar(until),
            None => engine.claims.bar(target.place(), now, until),
        }
        // Without room the ticket is released, and the next attempt may come from another process.
        start(&engine, async move {
            ticket.throttle(&target).await;
            if let Some(lead) = lead {
                lead.failed();
            }
        });
    }
}
