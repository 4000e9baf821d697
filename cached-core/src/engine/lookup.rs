//! One call's way to a value: join or lead, GET, ACQUIRE, wait, or be told to load.

use super::nesting::{self, Nesting};
use super::permit::Permit;
use super::target::Target;
use super::{Engine, FlightKey};
use crate::envelope::{Entry, Head, Register};
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

/// What waiting for someone else's lease led to.
enum Waited {
    /// Something to go on with.
    Found(Led),
    /// Nothing stands under the key any more: ACQUIRE again.
    Free,
}

/// A call's waiting for others' leases so far.
#[derive(Default)]
struct Waits {
    count: usize,
    /// Whose lease it waits for, once it was seen.
    head: Option<Head>,
}

impl Waits {
    /// Whether `head` is not the lease that was waited for.
    fn is_another(&mut self, head: Head) -> bool {
        *self.head.get_or_insert(head) != head
    }
}

/// A step on the store under way. Callers with less patience than the budget drop it before it can time out; that the
/// store did not answer must be noted all the same, or the breaker would never open for them.
struct Waiting<'a> {
    engine: &'a Arc<Engine>,
    began: Instant,
    answered: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.answered && self.began.elapsed() >= self.engine.settings.budget / 2 {
            let error = StoreError::new(FaultKind::Timeout, "its caller did not wait any longer");
            let _ = self.engine.noted(Err::<(), _>(error));
        }
    }
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
        let settles_within = 2 * self.target.engine.settings.budget;
        match timeout_at(self.deadline, follow.landing(settles_within)).await {
            Ok(Landing::Shared(entry)) => Some(Turn::Value(entry)),
            Ok(Landing::Failed) => {
                let slot = self.slot(&self.target.engine.after_failure).await;
                Some(self.alone(MissReason::LoadFailed, slot))
            }
            Ok(Landing::Next(store_time)) => {
                // What the leader spent on the store this call shall not spend again.
                self.spent += began.elapsed().min(store_time);
                None
            }
            Ok(Landing::Unsettled) | Err(_) => {
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
                lead.idle();
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
        if self.replace == Replace::Nothing {
            let step = lead.store_step();
            match self.look().await {
                Ok(Some(Register::Value(entry))) => return Led::Found(entry, step),
                // Also of a lease: ACQUIRE tells how long it is held.
                Ok(_) => {}
                Err(error) => return Led::Without(error.kind.into()),
            }
        }
        let mut waits = Waits::default();
        loop {
            let step = lead.store_step();
            match self.acquire().await {
                Ok((Acquired::Granted, Some(lease))) => return Led::Granted(lease),
                Ok((Acquired::Value(bytes), _)) => match self.read(&bytes) {
                    Register::Value(entry) => return Led::Found(entry, step),
                    Register::Lease(_) | Register::Invalid(_) if self.unusable < MAX_UNUSABLE => {}
                    Register::Lease(_) | Register::Invalid(_) => return Led::Without(MissReason::Foreign),
                },
                Ok((Acquired::Leased(left), _)) => match self.await_lease(lead, &mut waits, left).await {
                    Waited::Found(led) => return led,
                    Waited::Free => {}
                },
                Ok((Acquired::Writing, _)) => return Led::Writing,
                Ok((Acquired::Granted, None)) => return Led::Without(MissReason::Refused),
                Err(error) => return Led::Without(error.kind.into()),
            }
        }
    }

    /// Waits until someone else's lease has become a value, or is gone.
    async fn await_lease(&mut self, lead: &LeadKey, waits: &mut Waits, mut left: Duration) -> Waited {
        loop {
            lead.idle();
            if !self.pause(waits, left).await {
                return Waited::Found(Led::Without(MissReason::WaitedTooLong));
            }
            let step = lead.store_step();
            match self.look().await {
                Ok(Some(Register::Value(entry))) => return Waited::Found(Led::Found(entry, step)),
                // The load that this call waited for has failed, or was invalidated, and another one has begun: to wait
                // for that as well would be to load one after another.
                Ok(Some(Register::Lease(head))) if waits.is_another(head) => {
                    return Waited::Found(Led::Without(MissReason::WaitedTooLong));
                }
                Ok(Some(Register::Lease(_))) => left = self.target.engine.settings.lease,
                Ok(Some(Register::Invalid(_)) | None) => return Waited::Free,
                Err(error) => return Waited::Found(Led::Without(error.kind.into())),
            }
        }
    }

    /// GET.
    pub(super) async fn look(&mut self) -> Result<Option<Register>, StoreError> {
        let Target { engine, key, .. } = self.target.clone();
        match self.on_store(engine.store.get(&key, self.remaining())).await {
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
        let replace = std::mem::replace(&mut self.replace, Replace::Nothing);
        let within = self.remaining();
        let acquired = self.on_store(lease.acquire(replace, within)).await?;
        Ok((acquired, Some(lease)))
    }

    /// Takes a step on the store, and notes how long it took and how it ended.
    async fn on_store<T>(&mut self, step: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let mut waiting = Waiting { engine: &self.target.engine, began: Instant::now(), answered: false };
        let answer = step.await;
        waiting.answered = true;
        self.spent += waiting.began.elapsed();
        self.target.engine.noted(answer)
    }

    fn read(&mut self, bytes: &Bytes) -> Register {
        let register = self.target.read(bytes);
        match &register {
            Register::Invalid(reason) => {
                self.target.site.counters.miss(*reason);
                self.unusable += 1;
                self.replace = Replace::unusable(bytes);
            }
            Register::Value(_) => self.target.site.counters.bytes_read.add(bytes.len() as u64),
            Register::Lease(_) => {}
        }
        register
    }

    /// Waits before the next look at a leased register. `false` if the time for waiting is over.
    async fn pause(&self, waits: &mut Waits, lease_left: Duration) -> bool {
        if waits.count == 0 {
            self.target.site.counters.miss(MissReason::Leased);
            self.target.site.counters.lease_waits.one();
        }
        let pause = POLLS[waits.count.min(POLLS.len() - 1)].min(lease_left.max(Duration::from_millis(1)));
        waits.count += 1;
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
