//! The way of a call whose first look did not hit: join or lead, ACQUIRE, wait, or be told to load.

mod beside;
mod late;
mod leased;
pub(crate) mod member;
mod stale;
mod state;
mod worthless;

pub(crate) use state::Lookup;

use super::bulkhead::Bulkhead;
use super::finding::Finding;
use super::flight::{LeadKey, taking_place};
use super::load::{Permit, Room, Turn};
use super::nesting::{self, Nesting};
use super::read::{Checked, Looked, Missed, Seen};
use super::target::Target;
use crate::envelope::{Entry, Head};
use crate::error::StoreError;
use crate::flight::pulse::{self, Pulse};
use crate::flight::{Follow, Landing, Role};
use crate::lease::Lease;
use crate::reason::MissReason;
use crate::store::{Acquired, Replace};
use bytes::Bytes;
use member::Member;
use state::{Asked, Followed, Led, Waited, Waits};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Unusable values found in a row after which a call gives the key up and loads for itself.
const MAX_UNUSABLE: u32 = 3;
/// So many loads in a row that batches have made for this key may return what cannot be attributed: then a call loads for itself,
/// side by side with the others that have waited.
const MAX_UNATTRIBUTED: u32 = 1;
/// Inside of a load, waiting for another could be waiting in a circle: two tasks, each loading what the other waits for.
const NESTED_WAIT: Duration = Duration::from_secs(1);

impl Lookup {
    pub(super) fn new(target: Target, looked: Looked) -> Self {
        let nesting = nesting::of(target.engine.id, &target.key);
        let max_wait = target.engine.settings.max_wait;
        let mut lookup = Self {
            target,
            nesting,
            budget: looked.budget,
            without: None,
            replace: Replace::Nothing,
            suspect: None,
            looks_first: false,
            spare: None,
            unusable: 0,
            unattributed: None,
            unattributed_count: 0,
            counted: false,
            deadline: Instant::now(),
            is_late: false,
            member: None,
        };
        lookup.deadline += lookup.bounded_by_nesting(max_wait);
        match looked.missed {
            Missed::Nothing => {}
            Missed::Unusable(replace) => lookup.found_unusable(replace),
            Missed::Worthless(head) => lookup.suspect = Some(head),
            Missed::Elsewhere => lookup.looks_first = true,
            Missed::Spare(entry) => {
                lookup.count_miss(MissReason::Stale);
                lookup.spare = Some(entry);
            }
            Missed::Without(reason) => lookup.without = Some(reason),
        }
        lookup
    }

    /// How long this call may wait for others.
    fn bounded_by_nesting(&self, wait: Duration) -> Duration {
        if self.nesting == Nesting::None { wait } else { wait.min(NESTED_WAIT) }
    }

    /// As one of a batch.
    pub(super) fn in_batch(self, member: Member) -> Self {
        Self { member: Some(member), ..self }
    }

    /// From here on it depends on others when this lookup goes on: what its batch may load by now must not wait for it.
    fn waits_for_others(&mut self) {
        if let Some(member) = &mut self.member {
            member.waits_for_others();
        }
    }

    /// It has ended, or knows what it depends on.
    pub(super) fn has_decided(&mut self) {
        self.waits_for_others();
    }

    /// Finds a value, or the permission to load one.
    pub(super) async fn next(&mut self) -> Turn {
        if self.nesting == Nesting::Same {
            return self.alone(MissReason::SelfCall, Room::None);
        }
        if self.unusable >= MAX_UNUSABLE {
            return self.alone(MissReason::Payload, Room::None);
        }
        if self.unattributed_count > MAX_UNATTRIBUTED {
            let room = self.room(&self.target.engine.after_failure).await;
            return self.alone(MissReason::LoadFailed, room);
        }
        let mut flight = if self.is_late { self.target.late_flight() } else { self.target.flight() };
        let flights = &self.target.engine.flights;
        let mut role = match self.unattributed.take() {
            Some(former) => flights.join_next(&flight, &former),
            None => flights.join(&flight),
        };
        loop {
            match role {
                Role::Lead(lead) if self.is_late => return self.lead_late(lead).await,
                Role::Lead(lead) => return self.lead(lead).await,
                Role::Follow(follow) => match self.follow(&follow).await {
                    Followed::Turn(turn) => return turn,
                    Followed::Next => role = self.target.engine.flights.join_next(&flight, &follow),
                    Followed::Unattributed(returned) => {
                        self.unattributed = Some(follow);
                        self.unattributed_count += 1;
                        return Turn::Unattributed(returned);
                    }
                    Followed::Late => {
                        flight = self.becomes_late();
                        role = self.target.engine.flights.join(&flight);
                    }
                },
            }
        }
    }

    /// The value that `next` gave could not be decoded.
    pub(super) fn reject(&mut self, entry: &Entry, reason: MissReason) {
        self.target.missed(reason);
        match &entry.head {
            Some(head) => self.found_unusable(Replace::unusable(head.as_bytes())),
            // What this very process wrote cannot be read back: there is nothing to gain from another's load.
            None => self.unusable = MAX_UNUSABLE,
        }
    }

    /// What stands under the key is of no use, and was counted as that.
    fn found_unusable(&mut self, replace: Replace) {
        self.replace = replace;
        self.unusable += 1;
        self.counted = true;
    }

    /// Follows the flight to its end, or for as long as this call may wait.
    async fn follow(&mut self, follow: &Follow<Finding>) -> Followed {
        // A call that has used up its budget on the store does not wait for another call's time there.
        if let Some(reason) = self.without
            && follow.is_in_store()
        {
            let room = self.room(&self.target.engine.bulkhead).await;
            return Followed::Turn(self.alone(reason, room));
        }
        self.waits_for_others();
        let began = Instant::now();
        // A value that was loaded may still be on its way to the store: that is the store's time.
        let settles_within = self.budget.left();
        let landing = match self.landing(follow, began, settles_within).await {
            Ok(landing) => landing,
            Err(entry) => return Followed::Turn(Turn::Value(entry)),
        };
        match landing {
            Some(Landing::Shared(Finding::Value(entry))) => Followed::Turn(Turn::Value(entry)),
            Some(Landing::Shared(Finding::Unattributed(returned))) => Followed::Unattributed(returned),
            Some(Landing::Failed) => {
                if let Some(entry) = self.past_its_end().await {
                    return Followed::Turn(Turn::Value(entry));
                }
                let room = self.room(&self.target.engine.after_failure).await;
                Followed::Turn(self.alone(MissReason::LoadFailed, room))
            }
            Some(Landing::Next(store_time)) => {
                // What the leader spent on the store this call shall not spend again.
                self.budget.charge(began.elapsed().min(store_time));
                Followed::Next
            }
            Some(Landing::Stalled) => Followed::Next,
            landing @ (Some(Landing::Unsettled) | None) => {
                if landing.is_some() {
                    self.budget.charge(settles_within);
                }
                if let Some(entry) = self.past_its_end().await {
                    return Followed::Turn(Turn::Value(entry));
                }
                if !self.is_late {
                    return Followed::Late;
                }
                let room = self.room(&self.target.engine.bulkhead).await;
                Followed::Turn(self.alone(MissReason::WaitedTooLong, room))
            }
        }
    }

    async fn lead(&mut self, lead: LeadKey) -> Turn {
        match pulse::drive(self.pulse(&lead), self.find_or_acquire(&lead)).await {
            Led::Found(entry, step) => {
                lead.found(Finding::Value(entry.clone()), step);
                Turn::Value(entry)
            }
            Led::Granted(lease, stamps) => {
                Turn::Load(Box::new(Permit::leased(self.target.clone(), lead, lease, stamps)))
            }
            Led::Renewing(ticket, entry) => {
                let permit = Permit::renewing(self.target.clone(), *ticket, Some(lead), None, entry);
                permit.count_as_load();
                Turn::Load(Box::new(permit))
            }
            Led::Without(reason) => {
                self.target.missed(reason);
                lead.idle();
                let room = pulse::drive(self.pulse(&lead), self.room(&self.target.engine.bulkhead)).await;
                Turn::Load(Box::new(Permit::shared(self.target.clone(), lead, room).or_spare(self.spare.take())))
            }
            // A load that begins after all who share it have come is as good as one of their own.
            Led::Writing => {
                self.count_miss(MissReason::Writing);
                lead.idle();
                Turn::Load(Box::new(Permit::shared(self.target.clone(), lead, Room::None)))
            }
        }
    }

    /// By which followers are to see whether this lookup is polled; a batch is seen as a whole.
    fn pulse(&self, lead: &LeadKey) -> Option<Arc<Pulse>> {
        let Some(member) = &self.member else { return Some(lead.pulse()) };
        lead.is_driven_by(member.pulse());
        None
    }

    /// ACQUIRE, then wait while someone else loads.
    async fn find_or_acquire(&mut self, lead: &LeadKey) -> Led {
        if let Some(reason) = self.without.take() {
            return Led::Without(reason);
        }
        let mut waits = Waits::default();
        if let Some(head) = self.suspect.take()
            && let Some(led) = Box::pin(self.looks_again(lead, &mut waits, head)).await
        {
            return led;
        }
        while self.unusable < MAX_UNUSABLE {
            if std::mem::take(&mut self.looks_first) {
                waits.moves();
                if let Some(led) = Box::pin(self.looks_there(lead)).await {
                    return led;
                }
            }
            if let Some(led) = self.find_or_renew(lead, &mut waits).await {
                return led;
            }
            let step = lead.store_step();
            if let Err(reason) = self.target.may_look() {
                return Led::Without(reason);
            }
            let asked = match self.acquire(lead).await {
                Ok(asked) => asked,
                Err(error) => return Led::Without(error.kind.into()),
            };
            match asked.acquired {
                Acquired::Granted => return self.granted(asked.lease, asked.stamps),
                // Whether its base is what it has to be, ACQUIRE does not tell.
                Acquired::Value(_) if self.target.base().is_some() => {
                    self.unusable += 1;
                    self.looks_first = true;
                }
                Acquired::Value(bytes) => match self.see(bytes, asked.stamps.as_deref()).await {
                    Ok(Seen::Value(entry)) => return Led::Found(entry, step),
                    Ok(Seen::Spare(entry)) if self.target.is_barred() => return Led::Found(*entry, step),
                    Ok(Seen::Spare(entry)) => self.spare = Some(entry),
                    Ok(Seen::Unusable(replace)) => self.found_unusable(replace),
                    Ok(Seen::Base(base)) => self.goes_beside(base),
                    // A store that calls a lease a value.
                    Ok(Seen::Lease(_) | Seen::Worthless(_) | Seen::Nothing | Seen::Moved) => self.unusable += 1,
                    Err(error) => return Led::Without(error.kind.into()),
                },
                Acquired::Leased(left) => match self.await_lease(lead, &mut waits, left).await {
                    Waited::Found(led) => return led,
                    Waited::Free => {}
                },
                Acquired::Writing => return Led::Writing,
            }
        }
        Led::Without(MissReason::Foreign)
    }

    /// The lease is ours, if there are random bits for one. To load for the store the tags must be known as well.
    fn granted(&mut self, lease: Option<Lease>, stamps: Option<Vec<Head>>) -> Led {
        let Some(lease) = lease else { return Led::Without(MissReason::Refused) };
        let Some(stamps) = stamps else { return Led::Writing };
        self.count_miss(self.target.absence());
        Led::Granted(lease, stamps)
    }

    /// Judges a value that ACQUIRE has found by the stamps that were read along with it.
    async fn see(&mut self, register: Bytes, stamps: Option<&[Head]>) -> Result<Seen, StoreError> {
        let stamps = stamps.unwrap_or_default();
        // The register of all tags may stand behind them.
        let told = if self.target.site.names_all { 0 } else { self.target.tags().len() };
        let stamps = &stamps[..stamps.len().min(told)];
        match self.target.seen(register, stamps.iter().map(|stamp| Some(stamp.as_bytes()))) {
            Checked::Seen(seen) => Ok(seen),
            Checked::Named(named) => self.target.look_at_named(*named, &mut self.budget).await,
        }
    }

    /// ACQUIRE, and side by side TAG if there are tags.
    async fn acquire(&mut self, lead: &LeadKey) -> Result<Asked, StoreError> {
        let engine = &self.target.engine;
        let (store, key) = (Arc::clone(engine.store.off_path()), Arc::clone(self.target.place()));
        let releases = self.member.as_ref().map(Member::releases);
        let Some(mut lease) = Lease::new(store, key, self.target.purpose(), engine.settings.lease, releases) else {
            return Ok(Asked { acquired: Acquired::Granted, lease: None, stamps: None });
        };
        let replace = taking_place(lead, &lease, std::mem::replace(&mut self.replace, Replace::Nothing));
        let tags = self.target.load_tags();
        let fresh = Head::value(lease.id());
        let acquire = |_, within| lease.acquire(replace, within);
        let (acquired, stamps) = if tags.is_empty() {
            (self.budget.step(engine, acquire).await, Ok(Some(Vec::new())))
        } else {
            let time = self.target.site.tag_time;
            let asked = self.budget.both(engine, acquire, |store, within| store.tag(&tags, fresh, time, within));
            Box::pin(asked).await
        };
        Ok(Asked { acquired: acquired?, lease: Some(lease), stamps: stamps? })
    }

    /// Room among the loads that are bounded. A load inside of another has its room already.
    async fn room(&self, loads: &Arc<Bulkhead>) -> Room {
        if self.nesting != Nesting::None {
            return Room::None;
        }
        if self.member.is_some() {
            return Room::Owed;
        }
        loads.enter().await.map_or(Room::None, Room::Taken)
    }

    /// Counts why the call does not hit, unless another reason was counted before.
    fn count_miss(&mut self, reason: MissReason) {
        if !std::mem::replace(&mut self.counted, true) {
            self.target.missed(reason);
        }
    }

    fn alone(&self, reason: MissReason, room: Room) -> Turn {
        self.target.missed(reason);
        Turn::Load(Box::new(Permit::alone(self.target.clone(), room)))
    }
}
