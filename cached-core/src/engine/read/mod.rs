//! One read of a register, and what it means: the whole way of a call that hits.

pub(crate) mod beside;
pub(crate) mod near;

use super::Engine;
use super::budget::Budget;
use super::refresh::due::DueRefresh;
use super::target::{Base, Dependencies, Target};
use crate::engine::gate::get_all;
use crate::envelope::{Age, Entry, FoundValue, Head, Register};
use crate::error::{FaultKind, StoreError};
use crate::key::Key;
use crate::near::slot::Slot;
use crate::reason::{MissReason, UnstoredReason};
use crate::store::{Get, GetAll, Replace};
use bytes::Bytes;

/// How many damaged values of one site are replaced. If there are more, and more than one for this many hits, they are
/// left where they are: a register holds only two bytes of the fingerprint, so for one pair of types in 65,536 a value
/// of the other type looks like damage.
const SOME_DAMAGE: u64 = 8;

/// What stands under a key, for this target.
#[derive(Debug)]
pub(crate) enum Reading {
    Value(Entry),
    /// A value past its end that is served only if the load fails.
    Fallback(Box<Entry>),
    Nothing,
    /// Someone is loading it.
    Lease(Head),
    /// Someone is loading a value that nobody can use: one of its tags was invalidated after the lease was granted.
    Worthless(Head),
    /// Something that can only be replaced; the reason is counted.
    Unusable(Replace),
    /// A value of another type, or the lease of its load: the entry stands beside it.
    Base(Base),
    /// The base that the entry stood beside is over.
    Moved,
}

/// What a register means, as far as it says so itself.
#[derive(Debug)]
pub(super) enum Judgement {
    Reading(Reading),
    /// A value that is valid if the tags that it names are still what they were.
    UnprovenValue(Box<UnprovenValue>),
}

#[derive(Debug)]
pub(super) struct UnprovenValue {
    register: Bytes,
    found: FoundValue,
}

/// A first read that hit.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) entry: Entry,
    /// Its place in the near cache.
    pub(super) slot: Option<Box<Slot>>,
    /// This call is the one to refresh the value.
    pub(super) due: Option<Box<DueRefresh>>,
}

/// A first read that did not hit: what the rest of the call begins with.
#[derive(Debug)]
pub(super) struct Miss {
    pub(super) budget: Budget,
    pub(super) missed: MissCause,
}

/// Why a first read did not hit.
#[derive(Debug)]
pub(super) enum MissCause {
    /// Nothing or a lease stands there. Or nothing was read, since another call of this process leads a flight already.
    Nothing,
    Unusable(Replace),
    /// The lease of a load that seems to be worthless.
    Worthless(Head),
    /// A value that is served only if the load fails.
    Fallback(Box<Entry>),
    /// The entry stands elsewhere than where it was read.
    Elsewhere,
    /// The store cannot be used.
    Without(MissReason),
    /// Nothing was read: the call refreshes by force.
    Forced,
}

impl Miss {
    fn at_once(missed: MissCause, engine: &Engine) -> Self {
        Self { budget: engine.budget(), missed }
    }
}

impl Target {
    /// Reads the entry before anything else is done.
    pub(super) async fn first_read(&mut self) -> Result<Hit, Miss> {
        if self.is_forced() {
            return Err(Miss::at_once(MissCause::Forced, &self.engine));
        }
        if self.engine.flights.has(|| self.flight()) {
            return Err(Miss::at_once(MissCause::Nothing, &self.engine));
        }
        if let Err(reason) = self.may_read() {
            return Err(Miss::at_once(MissCause::Without(reason), &self.engine));
        }
        let mut budget = self.engine.budget();
        let (mut reading, mut slot) = if self.site.local.is_some() {
            Box::pin(self.read_to_keep(&mut budget)).await
        } else {
            (self.read(&mut budget).await, None)
        };
        if let Ok(Reading::Base(base)) = reading {
            self.goes_beside(base);
            (reading, slot) = Box::pin(self.read_to_keep(&mut budget)).await;
        }
        let missed = match reading {
            Ok(Reading::Value(entry)) => {
                let due = if entry.age == Age::Fresh { None } else { self.due(budget) };
                return Ok(Hit { entry, slot, due });
            }
            // Someone has tried to refresh it a moment ago.
            Ok(Reading::Fallback(entry)) if self.is_cooling_down() => {
                return Ok(Hit { entry: *entry, slot: None, due: None });
            }
            Ok(Reading::Fallback(entry)) => MissCause::Fallback(entry),
            Ok(Reading::Nothing | Reading::Lease(_)) => MissCause::Nothing,
            Ok(Reading::Worthless(head)) => MissCause::Worthless(head),
            Ok(Reading::Unusable(replace)) => MissCause::Unusable(replace),
            Ok(Reading::Base(_) | Reading::Moved) => {
                self.comes_back();
                MissCause::Elsewhere
            }
            Err(error) => MissCause::Without(error.kind.into()),
        };
        Err(Miss { budget, missed })
    }

    /// Reads so that the value can be kept near. If that fails, reads in the common way: the connection that announces
    /// changes may be broken while the other one is not.
    pub(super) async fn read_to_keep(&self, budget: &mut Budget) -> (Result<Reading, StoreError>, Option<Box<Slot>>) {
        match self.read_near(budget).await {
            Ok(Some((reading, slot))) => (Ok(reading), slot),
            Ok(None) | Err(_) => (self.read(budget).await, None),
        }
    }

    /// Reads where the entry stands: under its key, or if a value of another type stands there, beside that.
    pub(super) async fn read_beside_too(&mut self, budget: &mut Budget) -> Result<Reading, StoreError> {
        match self.read(budget).await {
            Ok(Reading::Base(base)) => {
                self.goes_beside(base);
                self.read(budget).await
            }
            reading => reading,
        }
    }

    /// The value that the first read found could not be decoded.
    pub(super) fn rejects(&self, entry: &Entry, reason: MissReason) -> Miss {
        self.missed(reason);
        let head = entry.head.as_ref().map_or(&[][..], Head::as_bytes);
        Miss::at_once(MissCause::Unusable(Replace::unusable(head)), &self.engine)
    }

    /// Whether the store's answers may be trusted now. To be asked after a step was announced and before it is taken,
    /// because a call that joins later asks for itself.
    pub(super) fn may_read(&self) -> Result<(), MissReason> {
        if self.is_pending() {
            self.engine.replay();
            return Err(MissReason::Pending);
        }
        self.engine.may_read_store()
    }

    /// Whether what was loaded may be stored now. A cache that is shut down still stores what it has a lease for.
    pub(super) fn may_store(&self) -> Result<(), UnstoredReason> {
        if self.is_pending() {
            self.engine.replay();
            return Err(UnstoredReason::Pending);
        }
        if self.engine.may_use_store() { Ok(()) } else { Err(UnstoredReason::Fault) }
    }

    /// Sends a GET now, of the tags as well if there are any. The part about tags is boxed, because every call's future
    /// holds this one.
    pub(super) async fn read(&self, budget: &mut Budget) -> Result<Reading, StoreError> {
        if self.tagged.is_some() || self.site.names_tags || self.site.names_all {
            return Box::pin(self.read_with_tags(budget)).await;
        }
        match self
            .judge_answer(budget.step(&self.engine, |store, within| store.get(Get::new(&self.key, within))).await)?
        {
            Judgement::Reading(reading) => Ok(reading),
            // Another site has stored it: the values of this one name no tags.
            Judgement::UnprovenValue(named) => Ok(self.unusable(MissReason::Type, &named.register)),
        }
    }

    async fn read_with_tags(&self, budget: &mut Budget) -> Result<Reading, StoreError> {
        if let Some(tagged) = &self.tagged {
            return self.read_all(tagged, budget).await;
        }
        match self
            .judge_answer(budget.step(&self.engine, |store, within| store.get(Get::new(&self.key, within))).await)?
        {
            Judgement::Reading(reading) => Ok(reading),
            Judgement::UnprovenValue(named) => self.read_named_tags(*named, budget).await,
        }
    }

    /// Judges the answer to a GET of the key alone.
    fn judge_answer(&self, answer: Result<Option<Bytes>, StoreError>) -> Result<Judgement, StoreError> {
        match answer {
            Ok(Some(register)) => Ok(self.judge_register(register, std::iter::empty())),
            Ok(None) => Ok(Judgement::Reading(Reading::Nothing)),
            Err(error) if error.kind == FaultKind::WrongType => {
                self.missed(MissReason::WrongType);
                // ACQUIRE replaces it without being asked to.
                Ok(Judgement::Reading(Reading::Unusable(Replace::Nothing)))
            }
            Err(error) => Err(error),
        }
    }

    async fn read_all(&self, tagged: &Dependencies, budget: &mut Budget) -> Result<Reading, StoreError> {
        let mut registers =
            budget.step(&self.engine, |store, within| get_all(store, GetAll::new(&tagged.keys, within))).await?;
        let Some((register, depends_on)) = registers.split_first_mut() else { return Ok(Reading::Nothing) };
        match self.judge(register.take(), depends_on) {
            Judgement::Reading(reading) => Ok(reading),
            Judgement::UnprovenValue(named) => self.read_named_tags(*named, budget).await,
        }
    }

    /// Judges what stood in the entry's place while these registers stood for what it depends on: the base and the call
    /// tags.
    pub(super) fn judge(&self, register: Option<Bytes>, depends_on: &[Option<Bytes>]) -> Judgement {
        let Some(tags) = self.tags_if_base_holds(depends_on) else { return Judgement::Reading(Reading::Moved) };
        let Some(register) = register else { return Judgement::Reading(Reading::Nothing) };
        let positional = if self.site.names_all { &[] } else { tags };
        match self.judge_register(register, positional.iter().map(Option::as_deref)) {
            // A call that takes a lease creates the tags of its load along with it. A tag that is not there was
            // invalidated since (or lost, which is as bad), so the value would not be valid.
            Judgement::Reading(Reading::Lease(head)) if tags.iter().any(Option::is_none) => {
                Judgement::Reading(Reading::Worthless(head))
            }
            Judgement::UnprovenValue(named) => {
                match self.holds_by_call_tags(&named, tags).filter(|_| self.site.names_all) {
                    Some(holds) => Judgement::Reading(self.prove(*named, holds)),
                    None => Judgement::UnprovenValue(named),
                }
            }
            judgement @ Judgement::Reading(_) => judgement,
        }
    }

    /// Whether the entry's tags hold; `None` if these registers of the call tags do not suffice to know.
    fn holds_by_call_tags(&self, named: &UnprovenValue, now: &[Option<Bytes>]) -> Option<bool> {
        let prefix = &self.engine.settings.prefix;
        let mut registers = Vec::with_capacity(now.len());
        for name in named.found.recorded.names() {
            let at = self.tags().iter().position(|tag| prefix.name_of(tag) == name)?;
            registers.push(now.get(at)?.as_deref());
        }
        // An entry stored by a call with fewer tags would outlive an invalidation of the others.
        let names = |tag: &Key| named.found.recorded.names().any(|name| name == prefix.name_of(tag));
        let is_complete = self.tags().iter().all(names);
        Some(is_complete && named.found.recorded.holds_named(registers.into_iter()))
    }

    /// What the value means, now that it is known whether its tags hold.
    fn prove(&self, named: UnprovenValue, holds: bool) -> Reading {
        if holds {
            self.valid(named.register, named.found)
        } else {
            self.unusable(MissReason::Invalidated, &named.register)
        }
    }

    /// Reads the tags that the value names.
    pub(super) async fn read_named_tags(
        &self,
        named: UnprovenValue,
        budget: &mut Budget,
    ) -> Result<Reading, StoreError> {
        let tags = self.named_tags(&named);
        let registers = budget.step(&self.engine, |store, within| get_all(store, GetAll::new(&tags, within))).await?;
        Ok(self.judge_named(named, &tags, &registers))
    }

    /// The registers of the tags that the value names.
    pub(super) fn named_tags(&self, named: &UnprovenValue) -> Vec<Key> {
        let prefix = &self.engine.settings.prefix;
        named.found.recorded.names().map(|name| prefix.register(name)).collect()
    }

    /// Judges a value by the registers of the tags that it names.
    pub(super) fn judge_named(&self, named: UnprovenValue, tags: &[Key], registers: &[Option<Bytes>]) -> Reading {
        if self.engine.queue.covers(tags.iter()) {
            return self.unusable(MissReason::Pending, &named.register);
        }
        let holds = named.found.recorded.holds_named(registers.iter().map(Option::as_deref));
        self.prove(named, holds && (!self.site.names_all || self.tags().iter().all(|tag| tags.contains(tag))))
    }

    /// Judges and counts a register that stood in the entry's place while the call tags had these registers. The base,
    /// if there is one, has been found to hold.
    pub(super) fn judge_register<'a>(
        &self,
        register: Bytes,
        tags: impl ExactSizeIterator<Item = Option<&'a [u8]>>,
    ) -> Judgement {
        Judgement::Reading(match self.parse(&register) {
            Register::Value(found) if !found.recorded.holds(self.base().map(|base| base.head), tags) => {
                self.note_orphan();
                self.unusable(MissReason::Invalidated, &register)
            }
            Register::Value(found) if found.recorded.names().len() > 0 => {
                return Judgement::UnprovenValue(Box::new(UnprovenValue { register, found }));
            }
            Register::Value(found) => self.valid(register, found),
            Register::Lease(head) => self.judge_lease(head),
            Register::Invalid(reason) => match Head::from_bytes(&register).filter(|_| self.may_be_base(reason)) {
                Some(head) => Reading::Base(Base { is_lease: false, head, reason }),
                None => self.unusable(reason, &register),
            },
        })
    }

    /// Whether a value that is invalid for this reason belongs to another build or type, and so is left where it is.
    fn may_be_base(&self, reason: MissReason) -> bool {
        let is_others = match reason {
            MissReason::Type | MissReason::Version => true,
            MissReason::Corrupt => {
                let counters = &self.site.counters;
                let damaged = counters.missed(MissReason::Corrupt);
                damaged >= SOME_DAMAGE && damaged >= counters.hits.get() / SOME_DAMAGE
            }
            _ => false,
        };
        is_others && self.base().is_none()
    }

    /// What a value means whose tags hold.
    fn valid(&self, register: Bytes, found: FoundValue) -> Reading {
        let Some(age) = self.age(&found) else { return self.unusable(MissReason::Stale, &register) };
        if let Some(times) = found.times {
            self.found(times);
        }
        self.site.counters.bytes_read.add(register.len() as u64);
        let entry = Entry::found(register, found, age);
        if age == Age::Fallback { Reading::Fallback(Box::new(entry)) } else { Reading::Value(entry) }
    }

    /// Where a value stands in its time; `None` if this site does not serve it any more.
    fn age(&self, found: &FoundValue) -> Option<Age> {
        let Some(times) = found.times else { return Some(Age::Fresh) };
        let now = self.engine.clock.wall();
        match &self.site.fresh {
            Some(policy) => policy.age(times, now, if policy.ahead.is_some() { self.draw() } else { 0.0 }),
            None => (now < times.fresh_until).then_some(Age::Fresh),
        }
    }

    /// The random number that this call uses for early refreshes.
    fn draw(&self) -> f64 {
        self.left.as_ref().and_then(|left| left.draw).unwrap_or_else(fastrand::f64)
    }

    /// Counts an unusable register.
    fn unusable(&self, reason: MissReason, register: &[u8]) -> Reading {
        self.missed(reason);
        Reading::Unusable(Replace::unusable(register))
    }
}
