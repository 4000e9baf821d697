//! The way of a miss: a call whose first read did not hit finds a value, or gets the permission to load one.
//!
//! The states of a [`MissedCall`], each with the function that handles it, and what moves the call on. It ends with
//! [`Next::Serve`], [`Next::Load`] or [`Next::Unattributed`]; these are in capitals here. A load is *stored* only if a
//! lease was granted for it, and *shared* with the followers of the flight unless the call loads alone.
//!
//! | state | what happens | next state, or end |
//! |---|---|---|
//! | join: `next` | the call comes from inside of a load of this very key | alone |
//! | | [`MAX_UNUSABLE`] values found were unusable | alone |
//! | | more than [`MAX_UNATTRIBUTED`] flights ended unattributed | alone |
//! | | the call refreshes by force: `next_forced` | as said in `forced.rs` |
//! | | [`Role::Lead`]: no other call leads the flight | lead; if the call is late, lead late |
//! | | [`Role::Follow`]: another call leads it | follow |
//! | follow: `follow` | the leader waits for the store, and this call cannot use the store | alone |
//! | | the flight has a value that is current for this call | SERVE |
//! | | a batch led it and cannot attribute what it loaded | UNATTRIBUTED; a call that cannot use it joins again |
//! | | the load failed | SERVE the fallback; without one, alone |
//! | | the leader is gone or stalled, or what it found is too old for this call | join the next flight |
//! | | `load_timeout` is over, and there is a fallback | SERVE it |
//! | | `max_wait` is over, or the store does not settle the load | SERVE the fallback; without one, late |
//! | | the same, and the call is late already | SERVE the fallback; without one, alone |
//! | late: `becomes_late` | joins the flight of all who have waited too long | follow or lead late |
//! | lead late: `lead_late` | takes room; one more read finds a value | SERVE |
//! | | it finds none | LOAD, shared |
//! | lead: `find_or_acquire` | the store cannot be used | without |
//! | | the first read found the lease of a worthless load | read again |
//! | | the entry stands elsewhere than where it was read | read there |
//! | | there is a fallback | refresh |
//! | | else | acquire |
//! | | [`MAX_UNUSABLE`] values found were unusable | without |
//! | read again: `reads_again` | after a moment there is a value | found |
//! | | anything else; a worthless lease may be replaced | lead |
//! | read there: `reads_there` | there is a value, or a fallback that is cooling down | found |
//! | | anything else | lead |
//! | refresh: `find_or_refresh` | the refresh lease is granted | refreshing |
//! | | the value has been refreshed meanwhile | found |
//! | | another process has the refresh lease | wait and ask again, until `load_timeout` or `max_wait` |
//! | | that time is over, or a refresh failed a moment ago | found, whatever value is there; if none is, acquire |
//! | | the fallback is gone | acquire |
//! | acquire: `acquire` | the lease is granted | granted |
//! | | a writer is at work on the key or on a tag | writing |
//! | | someone else has the lease | wait for a lease |
//! | | there is a value, or a fallback that is cooling down | found |
//! | | a fallback, something unusable, a value of another type, or any value beside a base | lead |
//! | wait for a lease: `await_lease` | there is a value | found |
//! | | the lease is gone or replaceable, or the entry stands elsewhere | lead |
//! | | another lease has taken its place, or `max_wait` is over | without |
//! | found: [`LeadOutcome::Found`] | | SERVE; followers share the value |
//! | granted: [`LeadOutcome::Granted`] | | LOAD, shared and stored |
//! | refreshing: [`LeadOutcome::Refreshing`] | | LOAD, shared and stored over the fallback |
//! | without: [`LeadOutcome::Without`] | takes room among the bounded loads | LOAD, shared |
//! | writing: [`LeadOutcome::Writing`] | | LOAD, shared |
//! | alone: `alone` | takes room, except inside of another load or after unusable values | LOAD |
//!
//! While a call leads, a step that fails or may not be taken (`may_read`) leads to *without*. A call that cannot decode
//! the value it is served (`reject`) joins again.

pub(crate) mod batch_member;
mod beside;
mod fallback;
mod forced;
mod late;
mod leased;
mod state;
mod worthless;

pub(crate) use state::MissedCall;

use super::bulkhead::Bulkhead;
use super::flight::{LeadKey, taking_place};
use super::flight_value::FlightValue;
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
use crate::store::{Acquired, Replace, TagAll};
use batch_member::Member;
use bytes::Bytes;
use state::{AcquireAnswer, FollowOutcome, LeadOutcome, LeaseWaits, WaitOutcome};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// After this many unusable values in a row, a call gives the key up and loads alone.
const MAX_UNUSABLE: u32 = 3;
/// Up to this many batches in a row may load the key and return what cannot be attributed. After that a call loads
/// alone, side by side with the others that have waited.
const MAX_UNATTRIBUTED: u32 = 1;
/// How long a call inside of a load waits for another call. Two tasks may wait in a circle, each loading what the other
/// one waits for.
const NESTED_WAIT: Duration = Duration::from_secs(1);

impl MissedCall {
    pub(super) fn new(target: Target, miss: Miss) -> Self {
        let nesting = nesting::of(target.engine.id, &target.key);
        let max_wait = target.engine.settings.max_wait;
        let mut call = Self {
            target,
            nesting,
            budget: miss.budget,
            is_forced: false,
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
        call.deadline += call.bounded_by_nesting(max_wait);
        match miss.missed {
            MissCause::Nothing => {}
            MissCause::Unusable(replace) => call.found_unusable(replace),
            MissCause::Worthless(head) => call.suspect = Some(head),
            MissCause::Elsewhere => call.reads_first = true,
            MissCause::Fallback(entry) => {
                call.count_miss(MissReason::Stale);
                call.fallback = Some(entry);
            }
            MissCause::Without(reason) => call.without = Some(reason),
            MissCause::Forced => call.is_forced = true,
        }
        call
    }

    /// How long this call may wait for others.
    fn bounded_by_nesting(&self, wait: Duration) -> Duration {
        if self.nesting == Nesting::None { wait } else { wait.min(NESTED_WAIT) }
    }

    /// Makes this the miss of one key of a batch.
    pub(super) fn in_batch(self, member: Member) -> Self {
        Self { member: Some(member), ..self }
    }

    /// This call now waits for another caller, so its batch must not wait for it before loading its other keys.
    fn waits_for_others(&mut self) {
        if let Some(member) = &mut self.member {
            member.waits_for_others();
        }
    }

    /// This call has ended, or it is known whether its batch may load the key.
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
        if self.is_forced
            && let Some(next) = Box::pin(self.next_forced()).await
        {
            return next;
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
                    FollowOutcome::Done(next) => return next,
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
            // This process loaded the value itself and cannot read it back: another load would not help.
            None => self.unusable = MAX_UNUSABLE,
        }
    }

    /// What stands under the key is unusable; the read has counted that already.
    fn found_unusable(&mut self, replace: Replace) {
        self.replace = replace;
        self.unusable += 1;
        self.counted = true;
    }

    /// Follows the flight to its end, or for as long as this call may wait.
    async fn follow(&mut self, follow: &Follow<FlightValue>) -> FollowOutcome {
        // This call has used up its own time on the store, so it does not wait while another call spends time there.
        if let Some(reason) = self.without
            && follow.is_in_store()
        {
            let room = self.room(&self.target.engine.bulkhead).await;
            return FollowOutcome::Done(self.alone(reason, room));
        }
        self.waits_for_others();
        let began = Instant::now();
        // A loaded value may still be on its way to the store. Waiting for that counts as time on the store.
        let settles_within = self.budget.left();
        let landing = match self.landing(follow, began, settles_within).await {
            Ok(landing) => landing,
            Err(entry) => return FollowOutcome::Done(Next::Serve(entry)),
        };
        match landing {
            Some(Landing::Shared(FlightValue::Value(entry))) => FollowOutcome::Done(Next::Serve(entry)),
            Some(Landing::Shared(FlightValue::Unattributed(returned))) => FollowOutcome::Unattributed(returned),
            Some(Landing::Failed) => {
                if let Some(entry) = self.find_fallback().await {
                    return FollowOutcome::Done(Next::Serve(entry));
                }
                let room = self.room(&self.target.engine.after_failure).await;
                FollowOutcome::Done(self.alone(MissReason::LoadFailed, room))
            }
            Some(Landing::Next(store_time)) => {
                // This call must not spend again what the leader has spent on the store.
                self.budget.charge(began.elapsed().min(store_time));
                FollowOutcome::NextFlight
            }
            Some(Landing::Stalled) => FollowOutcome::NextFlight,
            landing @ (Some(Landing::Unsettled) | None) => {
                if landing.is_some() {
                    self.budget.charge(settles_within);
                }
                if let Some(entry) = self.find_fallback().await {
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
            LeadOutcome::Refreshing(lease, entry) => {
                let permit = LoadPermit::refreshing(self.target.clone(), *lease, Some(lead), None, entry);
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
            // The load begins after all who share it have come, so it is as good to them as a load of their own.
            LeadOutcome::Writing => {
                self.count_miss(MissReason::Writing);
                lead.idle();
                Next::Load(Box::new(LoadPermit::shared(self.target.clone(), lead, LoadRoom::None)))
            }
        }
    }

    /// The pulse by which followers see whether this call is polled. `None` in a batch, whose one pulse stands for all
    /// of its flights.
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
            && let Some(outcome) = Box::pin(self.reads_again(lead, &mut waits, head)).await
        {
            return outcome;
        }
        while self.unusable < MAX_UNUSABLE {
            if std::mem::take(&mut self.reads_first) {
                waits.moves();
                if let Some(outcome) = Box::pin(self.reads_there(lead)).await {
                    return outcome;
                }
            }
            if let Some(outcome) = self.find_or_refresh(lead, &mut waits).await {
                return outcome;
            }
            let step = lead.store_step();
            if let Err(reason) = self.target.may_read() {
                return LeadOutcome::Without(reason);
            }
            let answer = match self.acquire(lead).await {
                Ok(answer) => answer,
                Err(error) => return LeadOutcome::Without(error.kind.into()),
            };
            match answer.acquired {
                Acquired::Granted => return self.granted(answer.lease, answer.stamps),
                // ACQUIRE does not say whether the base is still the one that the value was stored beside.
                Acquired::Value(_) if self.target.base().is_some() => {
                    self.unusable += 1;
                    self.reads_first = true;
                }
                Acquired::Value(bytes) => match self.judge(bytes, answer.stamps.as_deref()).await {
                    Ok(Reading::Value(entry)) => return LeadOutcome::Found(entry, step),
                    Ok(Reading::Fallback(entry)) if self.target.is_cooling_down() => {
                        return LeadOutcome::Found(*entry, step);
                    }
                    Ok(Reading::Fallback(entry)) => self.fallback = Some(entry),
                    Ok(Reading::Unusable(replace)) => self.found_unusable(replace),
                    Ok(Reading::Base(base)) => self.goes_beside(base),
                    // The store has called a lease a value.
                    Ok(Reading::Lease(_) | Reading::Worthless(_) | Reading::Nothing | Reading::Moved) => {
                        self.unusable += 1;
                    }
                    Err(error) => return LeadOutcome::Without(error.kind.into()),
                },
                Acquired::Leased(left) => match self.await_lease(lead, &mut waits, left).await {
                    WaitOutcome::Found(outcome) => return outcome,
                    WaitOutcome::Free => {}
                },
                Acquired::Writing => return LeadOutcome::Writing,
            }
        }
        LeadOutcome::Without(MissReason::Foreign)
    }

    /// This call has the lease, if there were random bits for one. It may store what it loads only if it also knows the
    /// stamps of the tags.
    fn granted(&mut self, lease: Option<Lease>, stamps: Option<Vec<Head>>) -> LeadOutcome {
        let Some(lease) = lease else { return LeadOutcome::Without(MissReason::Refused) };
        let Some(stamps) = stamps else { return LeadOutcome::Writing };
        self.count_miss(self.target.absence());
        LeadOutcome::Granted(lease, stamps)
    }

    /// Judges a value that ACQUIRE has found by the stamps that were read along with it.
    async fn judge(&mut self, register: Bytes, stamps: Option<&[Head]>) -> Result<Reading, StoreError> {
        let stamps = stamps.unwrap_or_default();
        // The stamp of the register of all tags may follow those of the call tags.
        let call_tags = if self.target.site.names_all { 0 } else { self.target.tags().len() };
        let stamps = &stamps[..stamps.len().min(call_tags)];
        match self.target.judge_register(register, stamps.iter().map(|stamp| Some(stamp.as_bytes()))) {
            Judgement::Reading(reading) => Ok(reading),
            Judgement::UnprovenValue(named) => self.target.read_named_tags(*named, &mut self.budget).await,
        }
    }

    /// Sends ACQUIRE, and side by side TAG if there are tags.
    async fn acquire(&mut self, lead: &LeadKey) -> Result<AcquireAnswer, StoreError> {
        let engine = &self.target.engine;
        let releases = self.member.as_ref().map_or_else(|| Arc::clone(&engine.releases), Member::releases);
        let (key, time) = (self.target.place().clone(), engine.settings.lease_ttl);
        let Some(mut lease) = Lease::new(releases, key, self.target.purpose(), time) else {
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
            let both = self
                .budget
                .both(engine, acquire, |store, within| gate::tag(store, TagAll::new(&tags, fresh, time, within)));
            Box::pin(both).await
        };
        Ok(AcquireAnswer { acquired: acquired?, lease: Some(lease), stamps: stamps? })
    }

    /// Waits for room among the bounded loads. A load inside of another one has its room already.
    async fn room(&self, loads: &Arc<Bulkhead>) -> LoadRoom {
        if self.nesting != Nesting::None {
            return LoadRoom::None;
        }
        if self.member.is_some() {
            return LoadRoom::Owed;
        }
        loads.enter().await.map_or(LoadRoom::None, LoadRoom::Taken)
    }

    /// Counts why the call is a miss, unless another reason was counted before.
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
