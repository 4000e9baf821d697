//! The refresh lease: which process refreshes a value that is still there.
//!
//! It is a lease on a register of its own, since the entry's register holds the value that everybody else is served
//! meanwhile. It only keeps loads few. FILL sees to it that nothing is revived: it stores only over the very value that
//! was read after the lease was granted.
//!
//! After a load that failed, the value cools down: the register holds a mark for the time of `refresh_cooldown`, and nobody
//! tries before that is over.
//!
//! # On cancellation
//! A refresh lease that is dropped is released.
//!
//! # When Redis is down
//! There is no refresh lease, and the value that was found is served.

use crate::engine::budget::Budget;
use crate::engine::flight::{LeadKey, taking_place};
use crate::engine::gate;
use crate::engine::read::Reading;
use crate::engine::target::Target;
use crate::envelope::{Entry, Head};
use crate::error::StoreError;
use crate::lease::{Lease, Purpose, random_id};
use crate::store::{Acquired, Fill, Replace, TagAll};
use bytes::{Bytes, BytesMut};
use futures_util::future::join;
use std::sync::Arc;
use std::time::Duration;

/// How long this process does not try again after the store has failed to grant a refresh lease.
pub(crate) const AFTER_FAULT: Duration = Duration::from_secs(1);

/// Permission to load over a value that is still there.
#[derive(Debug)]
pub(crate) struct RefreshLease {
    pub(crate) lease: Lease,
    /// The head of that value.
    pub(crate) over: Head,
    /// The stamps of the tags, as they are before the load.
    pub(crate) stamps: Vec<Head>,
}

/// What asking for a refresh lease led to.
#[derive(Debug)]
pub(crate) enum LeaseAnswer {
    /// Load under this lease; with the value as it is now.
    Granted(Box<RefreshLease>, Entry),
    /// Somebody has refreshed the value; this is the newer one.
    Newer(Entry),
    /// The value is not there any more, or unusable.
    Gone(Replace),
    /// Someone else refreshes it, for at most this long.
    Elsewhere(Duration),
    /// A refresh has failed: nobody is to try for this long.
    CoolingDown(Duration),
    Fault(StoreError),
}

/// What ACQUIRE led to.
enum AcquireOutcome {
    Granted(Lease),
    Denied(LeaseAnswer),
}

impl Target {
    /// Asks for the lease to refresh `entry`, and reads the entry once more. `lead`: the flight of the calls that wait
    /// for the load, if any do.
    pub(crate) async fn ask_for_lease(
        &self,
        entry: &Entry,
        lead: Option<&LeadKey>,
        budget: &mut Budget,
    ) -> LeaseAnswer {
        let Some(over) = entry.head else { return LeaseAnswer::Gone(Replace::Nothing) };
        let lease = match self.acquire_refresh_lease(lead, budget).await {
            AcquireOutcome::Granted(lease) => lease,
            AcquireOutcome::Denied(answer) => return answer,
        };
        let tags = self.load_tags();
        let mut beside = *budget;
        let read = self.read(budget);
        let (reading, stamps) = if tags.is_empty() {
            (read.await, Ok(Some(Vec::new())))
        } else {
            let (fresh, time) = (Head::value(lease.id()), self.site.tag_time);
            let answers = join(
                read,
                beside.step(&self.engine, |store, within| gate::tag(store, TagAll::new(&tags, fresh, time, within))),
            )
            .await;
            budget.alongside(beside);
            answers
        };
        let (reading, stamps) = match (reading, stamps) {
            (Ok(reading), Ok(stamps)) => (reading, stamps),
            (Err(error), _) | (_, Err(error)) => return LeaseAnswer::Fault(error),
        };
        let entry = match reading {
            Reading::Value(entry) => entry,
            Reading::Fallback(entry) => *entry,
            Reading::Unusable(replace) => return LeaseAnswer::Gone(replace),
            Reading::Nothing | Reading::Lease(_) | Reading::Worthless(_) | Reading::Base(_) | Reading::Moved => {
                return LeaseAnswer::Gone(Replace::Nothing);
            }
        };
        match stamps {
            _ if entry.head != Some(over) => LeaseAnswer::Newer(entry),
            Some(stamps) => LeaseAnswer::Granted(Box::new(RefreshLease { lease, over, stamps }), entry),
            // A writer is at work on one of the tags, so what is loaded now could not be stored.
            None => LeaseAnswer::Gone(Replace::Nothing),
        }
    }

    async fn acquire_refresh_lease(&self, lead: Option<&LeadKey>, budget: &mut Budget) -> AcquireOutcome {
        let engine = &self.engine;
        let mut replace = Replace::Nothing;
        // A register that is neither a lease nor such a mark is replaced at the second attempt.
        for _ in 0..2 {
            let (releases, time) = (Arc::clone(&engine.releases), engine.settings.lease_ttl);
            let key = engine.settings.prefix.refresh_lease(self.place());
            let Some(mut lease) = Lease::new(releases, key, Purpose::NONE, time) else { break };
            let over = std::mem::replace(&mut replace, Replace::Nothing);
            let over = lead.map_or(over.clone(), |lead| taking_place(lead, &lease, over));
            match budget.step(engine, |_, within| lease.acquire(over, within)).await {
                Ok(Acquired::Granted) => return AcquireOutcome::Granted(lease),
                Ok(Acquired::Leased(left)) => return AcquireOutcome::Denied(LeaseAnswer::Elsewhere(left)),
                Ok(Acquired::Value(register)) => match self.cools_down_for(&register) {
                    Some(left) => return AcquireOutcome::Denied(LeaseAnswer::CoolingDown(left)),
                    None => replace = Replace::unusable(&register),
                },
                // No writer ever writes to this register.
                Ok(Acquired::Writing) => break,
                Err(error) => return AcquireOutcome::Denied(LeaseAnswer::Fault(error)),
            }
        }
        AcquireOutcome::Denied(LeaseAnswer::Elsewhere(AFTER_FAULT))
    }

    /// How much longer the value cools down by the mark in this register; `None` if it holds no such mark, or one that a
    /// PERSIST keeps from running out. Clocks of processes may differ: so it never lasts longer than one that begins now,
    /// and counts as over only when it has been over for that long.
    fn cools_down_for(&self, register: &Bytes) -> Option<Duration> {
        let (head, until) = register.split_at_checked(Head::LEN)?;
        Head::from_bytes(head).filter(|_| head[0] == b'V')?;
        let until = Duration::from_millis(u64::from_le_bytes(until.try_into().ok()?));
        let (now, cooldown) = (Duration::from_millis(self.engine.clock.wall()), self.engine.settings.refresh_cooldown);
        let is_over = now.saturating_sub(until) > cooldown;
        (!is_over).then(|| until.saturating_sub(now).clamp(Duration::from_millis(1), cooldown))
    }
}

impl RefreshLease {
    /// The load has failed: keeps everybody from trying before the cooldown is over.
    pub(crate) async fn cool_down(self, target: &Target) {
        let Some(stamp) = random_id() else { return };
        let engine = &target.engine;
        let time = engine.settings.refresh_cooldown;
        let until = engine.clock.wall().saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let mut register = BytesMut::from(Head::value(stamp).as_bytes());
        register.extend_from_slice(&until.to_le_bytes());
        let key = engine.settings.prefix.refresh_lease(target.place());
        let (expected, register) = (self.lease.head(), register.freeze());
        let fill = engine
            .budget()
            .step(engine, |store, within| store.fill(Fill::new(&key, expected, register, time, within)))
            .await;
        if fill.is_ok() {
            // The lease was filled, or lost before.
            self.lease.forget();
        }
    }
}
