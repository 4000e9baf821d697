//! The way of a call whose first look did not hit: join or lead, ACQUIRE, wait, or be told to load.

mod beside;
mod late;
mod leased;
pub(crate) mod member;
mod stale;
mod state;
mod worthless;

pub(crate) use state::MissedCall;

use super::bulkhead::Bulkhead;
use super::finding::FlightValue;
use super::flight::{LeadKey, taking_place};
use super::load::{LoadPermit, LoadRoom, Next};
use super::nesting::{self, Nesting};
use super::read::{Judgement, Miss, MissCause, Reading};
use super::target::Target;
use crate::engine::gate;
use crate::envelope::{Entry, Head};
use crate::error::StoreError;
use crate::flight::pulse::{self, Pulse};
use crate::flight::{Follow, Landing, Role};
use crate::lease::Lease;
use crate::reason::MissReason;
use crate::store::{Acquired, Replace, Tag};
use bytes::Bytes;
use member::Member;
use state::{AcquireAnswer, FollowOutcome, LeadOutcome, LeaseWaits, WaitOutcome};
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

impl MissedCall {
    pub(super) fn new(target: Target, miss: Miss) -> Self {
        let nesting = nesting::of(target.engine.id, &target.key);
        let max_wait = target.engine.settings.max_wait;
        let mut lookup = Self {
            target,
            nesting,
            budget: miss.budget,
            without: None,
            replace: Replace::Nothing,
            suspect: None,
            reads_first: false,
            fallback: None,
            unusable: 0,
            unattributed: None,
            unattributed_count: 0,
            counted: false,
            deadline: Instant::now(),
            is_late: false,
            member: None,
        };
        lookup.deadline += lookup.bounded_by_nesting(max_wait);
        match miss.missed {
            MissCause::Nothing => {}
            MissCause::Unusable(replace) => lookup.found_unusable(replace),
            MissCause::Worthless(head) => lookup.suspect = Some(head),
            MissCause::Elsewhere => lookup.reads_first = true,
            MissCause::Fallback(entry) => {
                lookup.count_miss(MissReason::Stale);
                lookup.fallback = Some(entry);
            }
            MissCause::Without(reason) => lookup.without = Some(reason),
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
    pub(super) async fn next(&mut self) -> Next {
        if self.nesting == Nesting::Same {
            return self.alone(MissReason::SelfCall, LoadRoom::None);
        }
        if self.unusable >= MAX_UNUSABLE {
            return self.alone(MissReason::Payload, LoadRoom::None);
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
                    FollowOutcome::Done(turn) => return turn,
                    FollowOutcome::NextFlight => role = self.target.engine.flights.join_next(&flight, &follow),
                    FollowOutcome::Unattributed(returned) => {
                        self.unattributed = Some(follow);
                        self.unattributed_count += 1;
                        return Next::Unattributed(returned);
                    }
                    FollowOutcome::Late => {
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
    async fn follow(&mut self, follow: &Follow<FlightValue>) -> FollowOutcome {
        // A call that has used up its budget on the store does not wait for another call's time there.
        if let Some(reason) = self.without
            && follow.is_in_store()
        {
            let room = self.room(&self.target.engine.bulkhead).await;
            return FollowOutcome::Done(self.alone(reason, room));
        }
        self.waits_for_others();
        let began = Instant::now();
        // A value that was loaded may still be on its way to the store: that is the store's time.
        let settles_within = self.budget.left();
        let landing = match self.landing(follow, began, settles_within).await {
            Ok(landing) => landing,
            Err(entry) => return FollowOutcome::Done(Next::Serve(entry)),
        };
        match landing {
            Some(Landing::Shared(FlightValue::Value(entry))) => FollowOutcome::Done(Next::Serve(entry)),
            Some(Landing::Shared(FlightValue::Unattributed(returned))) => FollowOutcome::Unattributed(returned),
            Some(Landing::Failed) => {
                if let Some(entry) = self.past_its_end().await {
                    return FollowOutcome::Done(Next::Serve(entry));
                }
                let room = self.room(&self.target.engine.after_failure).await;
                FollowOutcome::Done(self.alone(MissReason::LoadFailed, room))
            }
            Some(Landing::Next(store_time)) => {
                // What the leader spent on the store this call shall not spend again.
                self.budget.charge(began.elapsed().min(store_time));
                FollowOutcome::NextFlight
            }
            Some(Landing::Stalled) => FollowOutcome::NextFlight,
            landing @ (Some(Landing::Unsettled) | None) => {
                if landing.is_some() {
                    self.budget.charge(settles_within);
                }
                if let Some(entry) = self.past_its_end().await {
                    return FollowOutcome::Done(Next::Serve(entry));
                }
                if !self.is_late {
                    return FollowOutcome::Late;
                }
                let room = self.room(&self.target.engine.bulkhead).await;
                FollowOutcome::Done(self.alone(MissReason::WaitedTooLong, room))
            }
        }
    }

    async fn lead(&mut self, lead: LeadKey) -> Next {
        match pulse::drive(self.pulse(&lead), self.find_or_acquire(&lead)).await {
            LeadOutcome::Found(entry, step) => {
                lead.found(FlightValue::Value(entry.clone()), step);
                Next::Serve(entry)
            }
            LeadOutcome::Granted(lease, stamps) => {
                Next::Load(Box::new(LoadPermit::leased(self.target.clone(), lead, lease, stamps)))
            }
            LeadOutcome::Renewing(ticket, entry) => {
                let permit = LoadPermit::refreshing(self.target.clone(), *ticket, Some(lead), None, entry);
                permit.count_as_load();
                Next::Load(Box::new(permit))
            }
            LeadOutcome::Without(reason) => {
                self.target.missed(reason);
                lead.idle();
                let room = pulse::drive(self.pulse(&lead), self.room(&self.target.engine.bulkhead)).await;
                Next::Load(Box::new(
                    LoadPermit::shared(self.target.clone(), lead, room).or_fallback(self.fallback.take()),
                ))
            }
            // A load that begins after all who share it have come is as good as one of their own.
            LeadOutcome::Writing => {
                self.count_miss(MissReason::Writing);
                lead.idle();
                Next::Load(Box::new(LoadPermit::shared(self.target.clone(), lead, LoadRoom::None)))
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
    async fn find_or_acquire(&mut self, lead: &LeadKey) -> LeadOutcome {
        if let Some(reason) = self.without.take() {
            return LeadOutcome::Without(reason);
        }
        let mut waits = LeaseWaits::default();
        if let Some(head) = self.suspect.take()
            && let Some(led) = Box::pin(self.reads_again(lead, &mut waits, head)).await
        {
            return led;
        }
        while self.unusable < MAX_UNUSABLE {
            if std::mem::take(&mut self.reads_first) {
                waits.moves();
                if let Some(led) = Box::pin(self.reads_there(lead)).await {
                    return led;
                }
            }
            if let Some(led) = self.find_or_renew(lead, &mut waits).await {
                return led;
            }
            let step = lead.store_step();
            if let Err(reason) = self.target.may_read() {
                return LeadOutcome::Without(reason);
            }
            let asked = match self.acquire(lead).await {
                Ok(asked) => asked,
                Err(error) => return LeadOutcome::Without(error.kind.into()),
            };
            match asked.acquired {
                Acquired::Granted => return self.granted(asked.lease, asked.stamps),
                // Whether its base is what it has to be, ACQUIRE does not tell.
                Acquired::Value(_) if self.target.base().is_some() => {
                    self.unusable += 1;
                    self.reads_first = true;
                }
                Acquired::Value(bytes) => match self.see(bytes, asked.stamps.as_deref()).await {
                    Ok(Reading::Value(entry)) => return LeadOutcome::Found(entry, step),
                    Ok(Reading::Fallback(entry)) if self.target.is_cooling_down() => {
                        return LeadOutcome::Found(*entry, step);
                    }
                    Ok(Reading::Fallback(entry)) => self.fallback = Some(entry),
                    Ok(Reading::Unusable(replace)) => self.found_unusable(replace),
                    Ok(Reading::Base(base)) => self.goes_beside(base),
                    // A store that calls a lease a value.
                    Ok(Reading::Lease(_) | Reading::Worthless(_) | Reading::Nothing | Reading::Moved) => {
                        self.unusable += 1
                    }
                    Err(error) => return LeadOutcome::Without(error.kind.into()),
                },
                Acquired::Leased(left) => match self.await_lease(lead, &mut waits, left).await {
                    WaitOutcome::Found(led) => return led,
                    WaitOutcome::Free => {}
                },
                Acquired::Writing => return LeadOutcome::Writing,
            }
        }
        LeadOutcome::Without(MissReason::Foreign)
    }

    /// The lease is ours, if there are random bits for one. To load for the store the tags must be known as well.
    fn granted(&mut self, lease: Option<Lease>, stamps: Option<Vec<Head>>) -> LeadOutcome {
        let Some(lease) = lease else { return LeadOutcome::Without(MissReason::Refused) };
        let Some(stamps) = stamps else { return LeadOutcome::Writing };
        self.count_miss(self.target.absence());
        LeadOutcome::Granted(lease, stamps)
    }

    /// Judges a value that ACQUIRE has found by the stamps that were read along with it.
    async fn see(&mut self, register: Bytes, stamps: Option<&[Head]>) -> Result<Reading, StoreError> {
        let stamps = stamps.unwrap_or_default();
        // The register of all tags may stand behind them.
        let told = if self.target.site.names_all { 0 } else { self.target.tags().len() };
        let stamps = &stamps[..stamps.len().min(told)];
        match self.target.seen(register, stamps.iter().map(|stamp| Some(stamp.as_bytes()))) {
            Judgement::Reading(seen) => Ok(seen),
            Judgement::UnprovenValue(named) => self.target.read_named_tags(*named, &mut self.budget).await,
        }
    }

    /// ACQUIRE, and side by side TAG if there are tags.
    async fn acquire(&mut self, lead: &LeadKey) -> Result<AcquireAnswer, StoreError> {
        let engine = &self.target.engine;
        let (store, key) = (Arc::clone(engine.store.off_path()), self.target.place().clone());
        let releases = self.member.as_ref().map(Member::releases);
        let Some(mut lease) = Lease::new(store, key, self.target.purpose(), engine.settings.lease, releases) else {
            return Ok(AcquireAnswer { acquired: Acquired::Granted, lease: None, stamps: None });
        };
        let replace = taking_place(lead, &lease, std::mem::replace(&mut self.replace, Replace::Nothing));
        let tags = self.target.load_tags();
        let fresh = Head::value(lease.id());
        let acquire = |_, within| lease.acquire(replace, within);
        let (acquired, stamps) = if tags.is_empty() {
            (self.budget.step(engine, acquire).await, Ok(Some(Vec::new())))
        } else {
            let time = self.target.site.tag_time;
            let asked = self
                .budget
                .both(engine, acquire, |store, within| gate::tag(store, Tag::new(&tags, fresh, time, within)));
            Box::pin(asked).await
        };
        Ok(AcquireAnswer { acquired: acquired?, lease: Some(lease), stamps: stamps? })
    }

    /// LoadRoom among the loads that are bounded. A load inside of another has its room already.
    async fn room(&self, loads: &Arc<Bulkhead>) -> LoadRoom {
        if self.nesting != Nesting::None {
            return LoadRoom::None;
        }
        if self.member.is_some() {
            return LoadRoom::Owed;
        }
        loads.enter().await.map_or(LoadRoom::None, LoadRoom::Taken)
    }

    /// Counts why the call does not hit, unless another reason was counted before.
    fn count_miss(&mut self, reason: MissReason) {
        if !std::mem::replace(&mut self.counted, true) {
            self.target.missed(reason);
        }
    }

    fn alone(&self, reason: MissReason, room: LoadRoom) -> Next {
        self.target.missed(reason);
        Next::Load(Box::new(LoadPermit::alone(self.target.clone(), room)))
    }
}
