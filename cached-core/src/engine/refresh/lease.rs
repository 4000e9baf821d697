//! The ticket: which process renews a value that is still there.
//!
//! A lease on a register of its own, since the entry's holds the value that everybody else is served meanwhile. It only keeps
//! loads few; that nothing is revived is for FILL to see, which stores only over the very value that was miss at after the
//! ticket was given.
//!
//! After a load that failed the register holds a value instead, for the throttle's time: nobody tries before that is over.
//!
//! # On cancellation
//! A ticket that is dropped is released.
//!
//! # When Redis is down
//! There is no ticket, and the value that was found is served.

use crate::engine::budget::Budget;
use crate::engine::flight::{LeadKey, taking_place};
use crate::engine::gate;
use crate::engine::read::Reading;
use crate::engine::target::Target;
use crate::envelope::{Entry, Head};
use crate::error::StoreError;
use crate::lease::{Lease, Purpose, random_id};
use crate::store::{Acquired, Fill, Replace, Tag};
use bytes::{Bytes, BytesMut};
use futures_util::future::join;
use std::sync::Arc;
use std::time::Duration;

/// How long nobody here tries again after the store has failed to give a ticket.
pub(crate) const AFTER_FAULT: Duration = Duration::from_secs(1);

/// The right to load over a value that is still there.
#[derive(Debug)]
pub(crate) struct RefreshLease {
    pub(crate) lease: Lease,
    /// The head of that value.
    pub(crate) over: Head,
    /// Of the tags, as they are before the load.
    pub(crate) stamps: Vec<Head>,
}

/// What asking for a ticket led to.
#[derive(Debug)]
pub(crate) enum LeaseAnswer {
    /// Load; with the value as it is now.
    Granted(Box<RefreshLease>, Entry),
    /// Somebody has renewed it.
    Newer(Entry),
    /// It is not there any more, or of no use.
    Gone(Replace),
    /// Someone else is at it, for at most so long.
    Elsewhere(Duration),
    /// Its load has failed: nobody is to try for so long.
    Throttled(Duration),
    Fault(StoreError),
}

/// What ACQUIRE led to.
enum AcquireOutcome {
    Granted(Lease),
    Denied(LeaseAnswer),
}

impl Target {
    /// Asks for the ticket to renew `entry`, and looks at it once more.
    /// `lead`: the flight of those who wait for the load, if anybody does.
    pub(crate) async fn ask_for_lease(
        &self,
        entry: &Entry,
        lead: Option<&LeadKey>,
        budget: &mut Budget,
    ) -> LeaseAnswer {
        let Some(over) = entry.head else { return LeaseAnswer::Gone(Replace::Nothing) };
        let lease = match self.acquire_refresh_lease(lead, budget).await {
            AcquireOutcome::Granted(lease) => lease,
            AcquireOutcome::Denied(asked) => return asked,
        };
        let tags = self.load_tags();
        let mut beside = *budget;
        let look = self.read(budget);
        let (seen, stamps) = if tags.is_empty() {
            (look.await, Ok(Some(Vec::new())))
        } else {
            let (fresh, time) = (Head::value(lease.id()), self.site.tag_time);
            let answers = join(
                look,
                beside.step(&self.engine, |store, within| gate::tag(store, Tag::new(&tags, fresh, time, within))),
            )
            .await;
            budget.alongside(beside);
            answers
        };
        let (seen, stamps) = match (seen, stamps) {
            (Ok(seen), Ok(stamps)) => (seen, stamps),
            (Err(error), _) | (_, Err(error)) => return LeaseAnswer::Fault(error),
        };
        let entry = match seen {
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
            // A writer is at work on one of the tags: what is loaded now could not be stored.
            None => LeaseAnswer::Gone(Replace::Nothing),
        }
    }

    async fn acquire_refresh_lease(&self, lead: Option<&LeadKey>, budget: &mut Budget) -> AcquireOutcome {
        let engine = &self.engine;
        let mut replace = Replace::Nothing;
        // Twice: what is neither a ticket nor a throttle is replaced.
        for _ in 0..2 {
            let (store, key) = (Arc::clone(engine.store.off_path()), engine.settings.prefix.ticket(self.place()));
            let Some(mut lease) = Lease::new(store, key, Purpose::NONE, engine.settings.lease, None) else { break };
            let over = std::mem::replace(&mut replace, Replace::Nothing);
            let over = lead.map_or(over.clone(), |lead| taking_place(lead, &lease, over));
            match budget.step(engine, |_, within| lease.acquire(over, within)).await {
                Ok(Acquired::Granted) => return AcquireOutcome::Granted(lease),
                Ok(Acquired::Leased(left)) => return AcquireOutcome::Denied(LeaseAnswer::Elsewhere(left)),
                Ok(Acquired::Value(register)) => match self.throttled_for(&register) {
                    Some(left) => return AcquireOutcome::Denied(LeaseAnswer::Throttled(left)),
                    None => replace = Replace::unusable(&register),
                },
                // Nobody writes tickets.
                Ok(Acquired::Writing) => break,
                Err(error) => return AcquireOutcome::Denied(LeaseAnswer::Fault(error)),
            }
        }
        AcquireOutcome::Denied(LeaseAnswer::Elsewhere(AFTER_FAULT))
    }

    /// How long the throttle in this register lasts; `None` if it is none, or one that somebody's PERSIST keeps from running out.
    /// Clocks of processes may differ, so never longer than one that begins now, and over only when it has been for as long.
    fn throttled_for(&self, register: &Bytes) -> Option<Duration> {
        let (head, until) = register.split_at_checked(Head::LEN)?;
        Head::from_bytes(head).filter(|_| head[0] == b'V')?;
        let until = Duration::from_millis(u64::from_le_bytes(until.try_into().ok()?));
        let (now, throttle) = (Duration::from_millis(self.engine.clock.wall()), self.engine.settings.throttle);
        let is_over = now.saturating_sub(until) > throttle;
        (!is_over).then(|| until.saturating_sub(now).clamp(Duration::from_millis(1), throttle))
    }
}

impl RefreshLease {
    /// The load has failed: nobody is to try before the throttle's time is over.
    pub(crate) async fn throttle(self, target: &Target) {
        let Some(stamp) = random_id() else { return };
        let engine = &target.engine;
        let time = engine.settings.throttle;
        let until = engine.clock.wall().saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let mut register = BytesMut::from(Head::value(stamp).as_bytes());
        register.extend_from_slice(&until.to_le_bytes());
        let key = engine.settings.prefix.ticket(target.place());
        let (expected, register) = (self.lease.head(), register.freeze());
        let fill = engine
            .budget()
            .step(engine, |store, within| store.fill(Fill::new(&key, expected, register, time, within)))
            .await;
        if fill.is_ok() {
            // Filled, or lost before.
            self.lease.forget();
        }
    }
}
