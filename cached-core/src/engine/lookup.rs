//! One call's way to a value: join or lead, GET, ACQUIRE, wait, or be told to load.

use super::FlightKey;
use super::nesting::{self, Nesting};
use super::permit::Permit;
use super::target::Target;
use crate::envelope::{Entry, Register};
use crate::error::{FaultKind, StoreError};
use crate::flight::{Follow, Landing, Lead, Role};
use crate::lease::Lease;
use crate::reason::MissReason;
use crate::store::{Acquired, Replace};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Waits between two looks at a register that someone else leases.
const POLLS: [Duration; 3] = [Duration::from_millis(15), Duration::from_millis(20), Duration::from_millis(25)];
/// Unusable values found in a row after which a call gives the key up and loads for itself.
const MAX_UNUSABLE: u32 = 3;
/// Inside of a load, waiting for another could be waiting in a circle: two tasks, each loading what the other waits for.
const NESTED_WAIT: Duration = Duration::from_secs(1);

/// What a call does next.
#[derive(Debug)]
pub(super) enum Turn {
    /// Decode this and return it.
    Value(Entry),
    /// Run the function.
    Load(Permit),
}

/// One call on its way.
#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) target: Target,
    nesting: Nesting,
    /// Time this call has spent on the store.
    spent: Duration,
    /// The register was found to be unusable and may be replaced.
    replace: Replace,
    unusable: u32,
    /// When waiting for others ends.
    deadline: Instant,
}

type LeadKey = Lead<FlightKey, Entry>;

/// What leading led to, before the flight is told.
enum Led {
    Found(Entry, u32),
    /// Load under this lease.
    Granted(Lease),
    /// Load without the store.
    Without(MissReason),
    /// A writer is at work: load, store nothing, share nothing.
    Writing,
}

impl Lookup {
    pub(super) fn new(target: Target) -> Self {
        let nesting = nesting::of(target.engine.id(), &target.key);
        let max_wait = target.engine.settings.max_wait;
        let max_wait = if nesting == Nesting::None { max_wait } else { max_wait.min(NESTED_WAIT) };
        Self {
            target,
            nesting,
            spent: Duration::ZERO,
            replace: Replace::Nothing,
            unusable: 0,
            deadline: Instant::now() + max_wait,
        }
    }

    /// Finds a value, or the permission to load one.
    pub(super) async fn next(&mut self) -> Turn {
        if self.nesting == Nesting::Same {
            return self.alone(MissReason::SelfCall, None);
        }
        if self.unusable >= MAX_UNUSABLE {
            return self.alone(MissReason::Payload, None);
        }
        let flight = self.target.flight();
        let mut role = self.target.engine.flights.join(&flight);
        loop {
            match role {
                Role::Lead(lead) => return self.lead(lead).await,
                Role::Follow(follow) => match self.follow(&follow).await {
                    Some(turn) => return turn,
                    None => role = self.target.engine.flights.join_next(&flight, &follow),
                },
            }
        }
    }

    /// The value that `next` gave could not be decoded.
    pub(super) fn reject(&mut self, entry: &Entry, reason: MissReason) {
        self.target.site.counters.miss(reason);
        match &entry.register {
            Some(register) => {
                self.unusable += 1;
                self.replace = Replace::unusable(register);
            }
            // What this very process wrote cannot be read back: there is nothing to gain from another's load.
            None => self.unusable = MAX_UNUSABLE,
        }
    }

    /// Follows the flight; `None` if it has nothing for this call.
    async fn follow(&mut self, follow: &Follow<Entry>) -> Option<Turn> {
        let began = Instant::now();
        match timeout_at(self.deadline, follow.landing()).await {
            Ok(Landing::Shared(entry)) => Some(Turn::Value(entry)),
            Ok(Landing::Failed) => {
                let slot = self.slot(&self.target.engine.after_failure).await;
                Some(Turn::Load(Permit::alone(self.target.clone(), slot)))
            }
            Ok(Landing::TooEarly(entry)) => {
                // What the leader spent on the store this call shall not spend again.
                if entry.register.is_some() {
                    self.spent += began.elapsed();
                }
                None
            }
            Ok(Landing::Over) => None,
            Err(_) => {
                let slot = self.slot(&self.target.engine.bulkhead).await;
                Some(self.alone(MissReason::WaitedTooLong, slot))
            }
        }
    }

    async fn lead(&mut self, lead: LeadKey) -> Turn {
        match self.find_or_acquire(&lead).await {
            Led::Found(entry, step) => {
                lead.found(entry.clone(), step);
                Turn::Value(entry)
            }
            Led::Granted(lease) => Turn::Load(Permit::leased(self.target.clone(), lead, lease)),
            Led::Without(reason) => {
                self.target.site.counters.miss(reason);
                let slot = self.slot(&self.target.engine.bulkhead).await;
                Turn::Load(Permit::shared(self.target.clone(), lead, slot))
            }
            Led::Writing => {
                lead.failed();
                self.alone(MissReason::Writing, None)
            }
        }
    }

    /// GET, then ACQUIRE, then wait while someone else loads.
    async fn find_or_acquire(&mut self, lead: &LeadKey) -> Led {
        if !self.target.engine.may_use_store() {
            return Led::Without(MissReason::BreakerOpen);
        }
        // What was rejected need not be read again.
        let mut look_first = self.replace == Replace::Nothing;
        let mut waits = 0;
        loop {
            if look_first {
                let step = lead.step();
                match self.look().await {
                    Ok(Some(Register::Value(entry))) => return Led::Found(entry, step),
                    Ok(Some(Register::Lease)) => {
                        if !self.wait(waits, self.target.engine.settings.lease).await {
                            return Led::Without(MissReason::WaitedTooLong);
                        }
                        waits += 1;
                        continue;
                    }
                    Ok(Some(Register::Invalid(_)) | None) => {}
                    Err(error) => return Led::Without(error.kind.into()),
                }
            }
            let step = lead.step();
            match self.acquire().await {
                Ok((Acquired::Granted, Some(lease))) => return Led::Granted(lease),
                Ok((Acquired::Value(bytes), _)) => match self.read(&bytes) {
                    Register::Value(entry) => return Led::Found(entry, step),
                    Register::Lease | Register::Invalid(_) if self.unusable < MAX_UNUSABLE => look_first = false,
                    Register::Lease | Register::Invalid(_) => return Led::Without(MissReason::Foreign),
                },
                Ok((Acquired::Leased(remaining), _)) => {
                    if !self.wait(waits, remaining).await {
                        return Led::Without(MissReason::WaitedTooLong);
                    }
                    waits += 1;
                    look_first = true;
                }
                Ok((Acquired::Writing, _)) => return Led::Writing,
                Ok((Acquired::Granted, None)) => return Led::Without(MissReason::Refused),
                Err(error) => return Led::Without(error.kind.into()),
            }
        }
    }

    /// GET.
    pub(super) async fn look(&mut self) -> Result<Option<Register>, StoreError> {
        let began = Instant::now();
        let answer = self.target.engine.store.get(&self.target.key, self.remaining()).await;
        self.spent += began.elapsed();
        match self.target.engine.noted(answer) {
            Ok(Some(bytes)) => Ok(Some(self.read(&bytes))),
            Ok(None) => {
                self.target.site.counters.miss(MissReason::Absent);
                Ok(None)
            }
            // ACQUIRE replaces it.
            Err(error) if error.kind == FaultKind::WrongType => {
                self.target.site.counters.miss(MissReason::WrongType);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// ACQUIRE. The lease is there if it was granted, and was asked for at all.
    async fn acquire(&mut self) -> Result<(Acquired, Option<Lease>), StoreError> {
        let (store, key) = (Arc::clone(&self.target.engine.store), Arc::clone(&self.target.key));
        let Some(mut lease) = Lease::new(store, key, self.target.engine.settings.lease) else {
            return Ok((Acquired::Granted, None));
        };
        let began = Instant::now();
        let replace = std::mem::replace(&mut self.replace, Replace::Nothing);
        let answer = lease.acquire(replace, self.remaining()).await;
        self.spent += began.elapsed();
        self.target.engine.noted(answer).map(|acquired| (acquired, Some(lease)))
    }

    fn read(&mut self, bytes: &Bytes) -> Register {
        let register = self.target.read(bytes);
        match &register {
            Register::Invalid(reason) => {
                self.target.site.counters.miss(*reason);
                self.unusable += 1;
                self.replace = Replace::unusable(bytes);
            }
            Register::Lease | Register::Value(_) => {}
        }
        register
    }

    /// Waits before the next look at a leased register. `false` if the time for waiting is over.
    async fn wait(&self, waits: usize, lease_left: Duration) -> bool {
        if waits == 0 {
            self.target.site.counters.miss(MissReason::Leased);
            self.target.site.counters.lease_waits.one();
        }
        let pause = POLLS[waits.min(POLLS.len() - 1)].min(lease_left.max(Duration::from_millis(1)));
        let until = Instant::now() + pause;
        if until >= self.deadline {
            return false;
        }
        tokio::time::sleep_until(until).await;
        true
    }

    /// What is left of the budget. Waits do not count, so a long one leaves a little for each look at the register.
    fn remaining(&self) -> Duration {
        let budget = self.target.engine.settings.budget;
        budget.saturating_sub(self.spent).max(budget / 10)
    }

    /// Room among the loads that are bounded. A load inside of another has its room already.
    async fn slot(&self, loads: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        if self.nesting != Nesting::None {
            return None;
        }
        let until = Instant::now() + self.target.engine.settings.max_wait;
        // When there is no room in time, the call goes before the bound.
        timeout_at(until, Arc::clone(loads).acquire_owned()).await.ok()?.ok()
    }

    fn alone(&self, reason: MissReason, slot: Option<OwnedSemaphorePermit>) -> Turn {
        self.target.site.counters.miss(reason);
        Turn::Load(Permit::alone(self.target.clone(), slot))
    }
}
