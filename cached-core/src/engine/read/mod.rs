//! One look at a register: the whole way of a call that hits.

pub(crate) mod beside;
pub(crate) mod near;

use super::Engine;
use super::budget::Budget;
use super::refresh::due::DueRefresh;
use super::target::{Base, Dependencies, Target};
use crate::envelope::{Age, Entry, Found, Head, Register};
use crate::error::{FaultKind, StoreError};
use crate::key::Key;
use crate::near::slot::Slot;
use crate::reason::{MissReason, UnstoredReason};
use crate::store::{Get, GetAll, Replace};
use bytes::Bytes;

/// Damaged values of one site that are replaced. If there are more, and more than one for so many hits, they are left where they
/// are: of the fingerprint only two bytes stand in a register, so for one pair of types in 65,536 another's value cannot be
/// told from damage.
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
    /// Someone is loading what cannot be of use any more: one of its tags was invalidated since the lease was given.
    Worthless(Head),
    /// Something that can only be replaced; counted.
    Unusable(Replace),
    /// A value of another type, or the lease of its load: the entry stands beside it.
    Base(Base),
    /// The base that the entry stood beside is over.
    Moved,
}

/// A register that was read.
#[derive(Debug)]
pub(super) enum Judgement {
    Reading(Reading),
    /// A value, if the tags that it names are still what they were.
    UnprovenValue(Box<UnprovenValue>),
}

#[derive(Debug)]
pub(super) struct UnprovenValue {
    register: Bytes,
    found: Found,
}

/// A call's first look that hit.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) entry: Entry,
    /// Its place in the near cache.
    pub(super) slot: Option<Box<Slot>>,
    /// This call is the one to renew the value.
    pub(super) due: Option<Box<DueRefresh>>,
}

/// A call's first look that did not hit: what the rest of the call begins with.
#[derive(Debug)]
pub(super) struct Miss {
    pub(super) budget: Budget,
    pub(super) missed: MissCause,
}

#[derive(Debug)]
pub(super) enum MissCause {
    /// Nothing there, or a lease. Or not miss at, since another call of this process is about to know better.
    Nothing,
    Unusable(Replace),
    /// A lease whose load seems to be worthless.
    Worthless(Head),
    /// A value that is served only if the load fails.
    Fallback(Box<Entry>),
    /// The entry stands elsewhere than where this look was.
    Elsewhere,
    /// The store is out of use.
    Without(MissReason),
}

impl Miss {
    fn at_once(missed: MissCause, engine: &Engine) -> Self {
        Self { budget: engine.budget(), missed }
    }
}

impl Target {
    /// Looks for a value before anything else is done.
    pub(super) async fn first_read(&mut self) -> Result<Hit, Miss> {
        if self.engine.flights.has(|| self.flight()) {
            return Err(Miss::at_once(MissCause::Nothing, &self.engine));
        }
        if let Err(reason) = self.may_read() {
            return Err(Miss::at_once(MissCause::Without(reason), &self.engine));
        }
        let mut budget = self.engine.budget();
        let (mut seen, mut slot) = if self.site.local.is_some() {
            Box::pin(self.read_to_keep(&mut budget)).await
        } else {
            (self.read(&mut budget).await, None)
        };
        if let Ok(Reading::Base(base)) = seen {
            self.goes_beside(base);
            (seen, slot) = Box::pin(self.read_to_keep(&mut budget)).await;
        }
        let missed = match seen {
            Ok(Reading::Value(entry)) => {
                let due = if entry.age == Age::Fresh { None } else { self.due(budget) };
                return Ok(Hit { entry, slot, due });
            }
            // Someone has tried a moment ago.
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

    /// A look that can be kept. When it fails, the store is asked in the common way: the connection that tells of changes may
    /// be broken while the other is not.
    async fn read_to_keep(&self, budget: &mut Budget) -> (Result<Reading, StoreError>, Option<Box<Slot>>) {
        match self.read_near(budget).await {
            Ok(Some((seen, slot))) => (Ok(seen), slot),
            Ok(None) | Err(_) => (self.read(budget).await, None),
        }
    }

    /// Looks where the entry stands: under its key, and if a value of another type stands there, beside that.
    pub(super) async fn read_beside_too(&mut self, budget: &mut Budget) -> Result<Reading, StoreError> {
        match self.read(budget).await {
            Ok(Reading::Base(base)) => {
                self.goes_beside(base);
                self.read(budget).await
            }
            seen => seen,
        }
    }

    /// The value that the first look found could not be decoded.
    pub(super) fn rejects(&self, entry: &Entry, reason: MissReason) -> Miss {
        self.missed(reason);
        let head = entry.head.as_ref().map_or(&[][..], Head::as_bytes);
        Miss::at_once(MissCause::Unusable(Replace::unusable(head)), &self.engine)
    }

    /// Whether what the store says may be believed now. To be asked after a step was announced and before it is taken: who
    /// joins later asks for itself.
    pub(super) fn may_read(&self) -> Result<(), MissReason> {
        if self.is_pending() {
            self.engine.replay();
            return Err(MissReason::Pending);
        }
        if self.engine.may_use_store() { Ok(()) } else { Err(MissReason::BreakerOpen) }
    }

    /// Whether anything may be stored now.
    pub(super) fn may_store(&self) -> Result<(), UnstoredReason> {
        self.may_read().map_err(|reason| match reason {
            MissReason::Pending => UnstoredReason::Pending,
            _ => UnstoredReason::Fault,
        })
    }

    /// GET, which begins now; of the tags as well, if there are any. What has to do with tags is boxed, since every call's
    /// future holds this one.
    pub(super) async fn read(&self, budget: &mut Budget) -> Result<Reading, StoreError> {
        if self.tagged.is_some() || self.site.names_tags || self.site.names_all {
            return Box::pin(self.read_with_tags(budget)).await;
        }
        match self.got(budget.step(&self.engine, |store, within| store.get(Get::new(&self.key, within))).await)? {
            Judgement::Reading(seen) => Ok(seen),
            // Another site's: this one's values name none.
            Judgement::UnprovenValue(named) => Ok(self.unusable(MissReason::Type, &named.register)),
        }
    }

    async fn read_with_tags(&self, budget: &mut Budget) -> Result<Reading, StoreError> {
        if let Some(tagged) = &self.tagged {
            return self.read_all(tagged, budget).await;
        }
        match self.got(budget.step(&self.engine, |store, within| store.get(Get::new(&self.key, within))).await)? {
            Judgement::Reading(seen) => Ok(seen),
            Judgement::UnprovenValue(named) => self.read_named_tags(*named, budget).await,
        }
    }

    /// Judges the answer to a GET of the key alone.
    fn got(&self, answer: Result<Option<Bytes>, StoreError>) -> Result<Judgement, StoreError> {
        match answer {
            Ok(Some(register)) => Ok(self.seen(register, std::iter::empty())),
            Ok(None) => Ok(Judgement::Reading(Reading::Nothing)),
            Err(error) if error.kind == FaultKind::WrongType => {
                self.missed(MissReason::WrongType);
                // ACQUIRE replaces it unasked.
                Ok(Judgement::Reading(Reading::Unusable(Replace::Nothing)))
            }
            Err(error) => Err(error),
        }
    }

    async fn read_all(&self, tagged: &Dependencies, budget: &mut Budget) -> Result<Reading, StoreError> {
        let mut registers = budget
            .step(&self.engine, |store, within| store.get_all(GetAll::new(&tagged.keys, within)))
            .await?
            .whole()?;
        let Some((register, depends_on)) = registers.split_first_mut() else { return Ok(Reading::Nothing) };
        match self.judge(register.take(), depends_on) {
            Judgement::Reading(seen) => Ok(seen),
            Judgement::UnprovenValue(named) => self.read_named_tags(*named, budget).await,
        }
    }

    /// Judges what stood in the entry's place while what it depends on, the base and the tags that the call tells, had these
    /// registers.
    pub(super) fn judge(&self, register: Option<Bytes>, depends_on: &[Option<Bytes>]) -> Judgement {
        let Some(tags) = self.beside(depends_on) else { return Judgement::Reading(Reading::Moved) };
        let Some(register) = register else { return Judgement::Reading(Reading::Nothing) };
        let positional = if self.site.names_all { &[] } else { tags };
        match self.seen(register, positional.iter().map(Option::as_deref)) {
            // Whoever takes a lease creates the tags of the load along with it. One that is not there was invalidated since
            // (or lost, which is as bad): the value would not be valid.
            Judgement::Reading(Reading::Lease(head)) if tags.iter().any(Option::is_none) => {
                Judgement::Reading(Reading::Worthless(head))
            }
            Judgement::UnprovenValue(named) => match self.told(&named, tags).filter(|_| self.site.names_all) {
                Some(holds) => Judgement::Reading(self.judged(*named, holds)),
                None => Judgement::UnprovenValue(named),
            },
            seen @ Judgement::Reading(_) => seen,
        }
    }

    /// Whether the entry's tags hold, if these registers of the tags that the call tells suffice to know.
    fn told(&self, named: &UnprovenValue, now: &[Option<Bytes>]) -> Option<bool> {
        let prefix = &self.engine.settings.prefix;
        let mut registers = Vec::with_capacity(now.len());
        for name in named.found.recorded.names() {
            let at = self.tags().iter().position(|tag| prefix.name_of(tag) == name)?;
            registers.push(now.get(at)?.as_deref());
        }
        // Stored by a caller that did not tell all of them, it would outlive the others.
        let is_complete = registers.len() >= self.tags().len();
        Some(is_complete && named.found.recorded.holds_named(registers.into_iter()))
    }

    fn judged(&self, named: UnprovenValue, holds: bool) -> Reading {
        if holds {
            self.valid(named.register, named.found)
        } else {
            self.unusable(MissReason::Invalidated, &named.register)
        }
    }

    /// Reads the tags of which only the value tells.
    pub(super) async fn read_named_tags(
        &self,
        named: UnprovenValue,
        budget: &mut Budget,
    ) -> Result<Reading, StoreError> {
        let tags = self.named_tags(&named);
        let registers =
            budget.step(&self.engine, |store, within| store.get_all(GetAll::new(&tags, within))).await?.whole()?;
        Ok(self.judge_named(named, &tags, &registers))
    }

    /// The registers of the tags of which only the value tells.
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
        self.judged(named, holds && (!self.site.names_all || self.tags().iter().all(|told| tags.contains(told))))
    }

    /// Reads and counts a register that stood in the entry's place while the tags that the call tells had these registers, and
    /// the base, if there is one, was what it has to be.
    pub(super) fn seen<'a>(&self, register: Bytes, tags: impl ExactSizeIterator<Item = Option<&'a [u8]>>) -> Judgement {
        Judgement::Reading(match self.parse(&register) {
            Register::Value(found) if !found.recorded.holds(self.base().map(|base| base.head), tags) => {
                self.note_orphan();
                self.unusable(MissReason::Invalidated, &register)
            }
            Register::Value(found) if found.recorded.names().len() > 0 => {
                return Judgement::UnprovenValue(Box::new(UnprovenValue { register, found }));
            }
            Register::Value(found) => self.valid(register, found),
            Register::Lease(head) => self.seen_lease(head),
            Register::Invalid(reason) => match Head::from_bytes(&register).filter(|_| self.may_be_base(reason)) {
                Some(head) => Reading::Base(Base { is_lease: false, head, reason }),
                None => self.unusable(reason, &register),
            },
        })
    }

    /// Whether a value that is invalid for this reason is another build's, or type's, which is to be left where it is.
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

    fn valid(&self, register: Bytes, found: Found) -> Reading {
        let Some(age) = self.age(&found) else { return self.unusable(MissReason::Stale, &register) };
        self.site.counters.bytes_read.add(register.len() as u64);
        let entry = Entry::found(register, found, age);
        if age == Age::Fallback { Reading::Fallback(Box::new(entry)) } else { Reading::Value(entry) }
    }

    /// Where a value stands in its time; `None` if that is over, for this site.
    fn age(&self, found: &Found) -> Option<Age> {
        let Some(times) = found.times else { return Some(Age::Fresh) };
        let now = self.engine.clock.wall();
        match &self.site.fresh {
            Some(policy) => policy.age(times, now, if policy.ahead.is_some() { self.draw() } else { 0.0 }),
            None => (now < times.fresh_until).then_some(Age::Fresh),
        }
    }

    /// What chance has drawn for this call.
    fn draw(&self) -> f64 {
        self.left.as_ref().and_then(|left| left.draw).unwrap_or_else(fastrand::f64)
    }

    fn unusable(&self, reason: MissReason, register: &[u8]) -> Reading {
        self.missed(reason);
        Reading::Unusable(Replace::unusable(register))
    }
}
