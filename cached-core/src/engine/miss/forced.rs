//! The way of a call that refreshes by force: it loads and stores though there is a value, which is served on meanwhile.
//!
//! | state | what happens | next state, or end |
//! |---|---|---|
//! | join: `next_forced` | no other call leads the flight of forced refreshes | lead |
//! | | another call leads it | follow |
//! | follow: `follow_forced` | TAKEOVER of the flight came after this call, and the load has ended | SERVE |
//! | | it came before this call, or the leader is gone or stalled | join the next flight |
//! | | the load failed, or waiting took too long | lead without followers |
//! | lead: `take_over` | the store cannot be used | LOAD, shared |
//! | | the store cannot take over | remove the value, then the way of a miss |
//! | | a writer is at work on the key or on a tag | LOAD, shared |
//! | | TAKEOVER was carried out | LOAD, shared and stored |
//!
//! A forced refresh stores only values whose load began after the call. From TAKEOVER on, no load that began earlier can
//! be stored. So calls share the load that had come before TAKEOVER was announced. A call that comes after that must not:
//! a load under the head or the lease that TAKEOVER has left may have begun before the call, and be stored first.
//!
//! # Beside other builds
//! TAKEOVER is about the register under the key, whatever type stands there. A value of another type is served on to its
//! callers until the loaded value takes its place as the base. All that stands beside it ends with TAKEOVER, since the
//! base has another head from then on: so no build keeps an old value, and while builds run side by side a forced refresh
//! may cost one more load.

use super::batch_member::Member;
use super::state::MissedCall;
use crate::engine::flight::LeadKey;
use crate::engine::flight_value::{FlightValue, Unattributed};
use crate::engine::gate;
use crate::engine::load::{ForcedPermit, LoadPermit, LoadRoom, Next};
use crate::engine::target::Target;
use crate::envelope::Head;
use crate::flight::{Follow, Landing, Role, pulse};
use crate::lease::{Lease, random_id};
use crate::reason::MissReason;
use crate::store::{Remove, TagAll, TakenOver};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// How long a call waits for forced refreshes of others. Longer than a read waits, since its caller does not wait for a
/// page, and two loads of one key are one too many.
const FORCED_WAIT: Duration = Duration::from_secs(30);

/// What following a flight of forced refreshes led to.
enum ForcedFollow {
    Done(Next),
    NextFlight,
    Unattributed(Arc<Unattributed>),
    /// This call has to take over by itself.
    Alone(MissReason),
}

/// What TAKEOVER led to.
enum TakeoverOutcome {
    /// TAKEOVER was carried out.
    Taken(Box<ForcedPermit>),
    /// Load without the store.
    Without(MissReason),
    /// A writer is at work.
    Writing,
    /// The store has no such step.
    Unable,
}

impl MissedCall {
    /// The next step of a forced refresh; `None` if it goes on as a miss, since the value is removed.
    pub(super) async fn next_forced(&mut self) -> Option<Next> {
        self.deadline = Instant::now() + self.bounded_by_nesting(FORCED_WAIT);
        let (flight, engine) = (self.target.forced_flight(), Arc::clone(&self.target.engine));
        let mut role = match self.unattributed.take() {
            Some(former) => engine.flights.join_next(&flight, &former),
            None => engine.flights.join(&flight),
        };
        loop {
            match role {
                Role::Lead(lead) => return self.lead_forced(Some(lead), LoadRoom::None).await,
                Role::Follow(follow) => match self.follow_forced(&follow).await {
                    ForcedFollow::Done(next) => return Some(next),
                    ForcedFollow::NextFlight => role = engine.flights.join_next(&flight, &follow),
                    ForcedFollow::Unattributed(returned) => {
                        self.unattributed = Some(follow);
                        self.unattributed_count += 1;
                        return Some(Next::Unattributed(returned));
                    }
                    ForcedFollow::Alone(reason) => {
                        self.count_miss(reason);
                        let is_failed = reason == MissReason::LoadFailed;
                        let room = self.room(if is_failed { &engine.after_failure } else { &engine.bulkhead }).await;
                        return self.lead_forced(None, room).await;
                    }
                },
            }
        }
    }

    async fn follow_forced(&mut self, follow: &Follow<FlightValue>) -> ForcedFollow {
        self.waits_for_others();
        let (began, settles_within) = (Instant::now(), self.budget.left());
        let stalls_within = self.target.engine.settings.budget;
        match timeout_at(self.deadline, follow.landing(settles_within, stalls_within)).await.ok() {
            Some(Landing::Shared(FlightValue::Value(entry))) => {
                // The caller returns only when it is known whether the value was stored.
                let _ = timeout(settles_within, follow.ended()).await;
                ForcedFollow::Done(Next::Serve(entry))
            }
            Some(Landing::Shared(FlightValue::Unattributed(returned))) => ForcedFollow::Unattributed(returned),
            Some(Landing::Next(store_time)) => {
                self.budget.charge(began.elapsed().min(store_time));
                ForcedFollow::NextFlight
            }
            Some(Landing::Stalled) => ForcedFollow::NextFlight,
            Some(Landing::Failed) => ForcedFollow::Alone(MissReason::LoadFailed),
            Some(Landing::Unsettled) | None => ForcedFollow::Alone(MissReason::WaitedTooLong),
        }
    }

    /// Takes over, for itself and for those who follow; `None` as for [`next_forced`](Self::next_forced).
    async fn lead_forced(&mut self, lead: Option<LeadKey>, room: LoadRoom) -> Option<Next> {
        let announced = lead.as_ref().map_or(0, LeadKey::store_step);
        let pulse = lead.as_ref().and_then(|lead| self.pulse(lead));
        let outcome = pulse::drive(pulse, self.take_over()).await;
        let without = match outcome {
            TakeoverOutcome::Taken(permit) => {
                let permit = ForcedPermit { lead: lead.map(|lead| (lead, announced)), ..*permit };
                return Some(Next::Load(Box::new(LoadPermit::forced(self.target.clone(), permit, room))));
            }
            TakeoverOutcome::Unable => {
                self.is_forced = false;
                let Target { engine, key, .. } = &self.target;
                let removed = self.budget.step(engine, |store, within| store.remove(Remove::new(key, within))).await;
                engine.wrote([key]);
                self.deadline = Instant::now() + self.bounded_by_nesting(self.target.engine.settings.max_wait);
                match removed {
                    Ok(_) => return None,
                    Err(error) => error.kind.into(),
                }
            }
            TakeoverOutcome::Without(reason) => reason,
            TakeoverOutcome::Writing => MissReason::Writing,
        };
        self.count_miss(without);
        let Some(lead) = lead else {
            return Some(Next::Load(Box::new(LoadPermit::alone(self.target.clone(), room))));
        };
        lead.idle();
        let needs_room = without != MissReason::Writing && matches!(room, LoadRoom::None);
        let room = if needs_room {
            pulse::drive(self.pulse(&lead), self.room(&self.target.engine.bulkhead)).await
        } else {
            room
        };
        Some(Next::Load(Box::new(LoadPermit::shared(self.target.clone(), lead, room))))
    }

    /// Sends TAKEOVER, and side by side TAG if there are tags.
    async fn take_over(&mut self) -> TakeoverOutcome {
        if let Err(reason) = self.target.may_read() {
            return TakeoverOutcome::Without(reason);
        }
        let engine = &self.target.engine;
        let releases = self.member.as_ref().map_or_else(|| Arc::clone(&engine.releases), Member::releases);
        let (key, time) = (self.target.place().clone(), engine.settings.lease_ttl);
        let lease = Lease::new(releases, key, self.target.purpose(), time);
        let (Some(mut lease), Some(fresh)) = (lease, random_id().map(Head::value)) else {
            return TakeoverOutcome::Without(MissReason::Refused);
        };
        let (tags, stamp) = (self.target.load_tags(), Head::value(lease.id()));
        let (taken, stamps) = if tags.is_empty() {
            let taken = self.budget.step(engine, |_, within| lease.take_over(fresh, within)).await;
            (taken, Ok(Some(Vec::new())))
        } else {
            let time = self.target.site.tag_time;
            let both = self.budget.both(
                engine,
                |_, within| lease.take_over(fresh, within),
                |store, within| gate::tag(store, TagAll::new(&tags, stamp, time, within)),
            );
            Box::pin(both).await
        };
        let over = match taken {
            Ok(Some(TakenOver::Lease)) => None,
            Ok(Some(TakenOver::Value)) => Some(fresh),
            Ok(Some(TakenOver::Writing)) => return TakeoverOutcome::Writing,
            Ok(None) => return TakeoverOutcome::Unable,
            Err(error) => return TakeoverOutcome::Without(error.kind.into()),
        };
        match stamps {
            Ok(Some(stamps)) => TakeoverOutcome::Taken(Box::new(ForcedPermit { lease, over, stamps, lead: None })),
            Ok(None) => TakeoverOutcome::Writing,
            Err(error) => TakeoverOutcome::Without(error.kind.into()),
        }
    }
}
