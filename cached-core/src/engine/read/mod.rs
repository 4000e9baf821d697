//! One look at a register: the whole way of a call that hits.

pub(crate) mod beside;
pub(crate) mod near;

use super::Engine;
use super::budget::Budget;
use super::refresh::due::Due;
use super::target::{Base, Tagged, Target};
use crate::envelope::{Age, Entry, Found, Head, Register};
use crate::error::{FaultKind, StoreError};
use crate::key::Key;
use crate::near::slot::Slot;
use crate::reason::{MissReason, UnstoredReason};
use crate::store::Replace;
use bytes::Bytes;

/// Damaged values of one site that are replaced. If there are more, and more than one for so many hits, they are left where they
/// are: of the fingerprint only two bytes stand in a register, so for one pair of types in 65,536 another's value cannot be
/// told from damage.
const SOME_DAMAGE: u64 = 8;

/// What stands under a key, for this target.
#[derive(Debug)]
pub(crate) enum Seen {
    Value(Entry),
    /// A value past its end that is served only if the load fails.
    Spare(Box<Entry>),
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
pub(super) enum Checked {
    Seen(Seen),
    /// A value, if the tags that it names are still what they were.
    Named(Box<Named>),
}

#[derive(Debug)]
pub(super) struct Named {
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
    pub(super) due: Option<Box<Due>>,
}

/// A call's first look that did not hit: what the rest of the call begins with.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) budget: Budget,
    pub(super) missed: Missed,
}

#[derive(Debug)]
pub(super) enum Missed {
    /// Nothing there, or a lease. Or not looked at, since another call of this process is about to know better.
    Nothing,
    Unusable(Replace),
    /// A lease whose load seems to be worthless.
    Worthless(Head),
    /// A value that is served only if the load fails.
    Spare(Box<Entry>),
    /// The entry stands elsewhere than where this look was.
    Elsewhere,
    /// The store is out of use.
    Without(MissReason),
}

impl Looked {
    fn at_once(missed: Missed, engine: &Engine) -> Self {
        Self { budget: engine.budget(), missed }
    }
}

impl Target {
    /// Looks for a value before anything else is done.
    pub(super) async fn first_look(&mut self) -> Result<Hit, Looked> {
        if self.engine.flights.has(|| self.flight()) {
            return Err(Looked::at_once(Missed::Nothing, &self.engine));
        }
        if let Err(reason) = self.may_look() {
            return Err(Looked::at_once(Missed::Without(reason), &self.engine));
        }
        let mut budget = self.engine.budget();
        let (mut seen, mut slot) = if self.site.local.is_some() {
            Box::pin(self.look_to_keep(&mut budget)).await
        } else {
            (self.look(&mut budget).await, None)
        };
        if let Ok(Seen::Base(base)) = seen {
            self.goes_beside(base);
            (seen, slot) = Box::pin(self.look_to_keep(&mut budget)).await;
        }
        let missed = match seen {
            Ok(Seen::Value(entry)) => {
                let due = if entry.age == Age::Fresh { None } else { self.due(budget) };
                return Ok(Hit { entry, slot, due });
            }
            // Someone has tried a moment ago.
            Ok(Seen::Spare(entry)) if self.is_barred() => return Ok(Hit { entry: *entry, slot: None, due: None }),
            Ok(Seen::Spare(entry)) => Missed::Spare(entry),
            Ok(Seen::Nothing | Seen::Lease(_)) => Missed::Nothing,
            Ok(Seen::Worthless(head)) => Missed::Worthless(head),
            Ok(Seen::Unusable(replace)) => Missed::Unusable(replace),
            Ok(Seen::Base(_) | Seen::Moved) => {
                self.comes_back();
                Missed::Elsewhere
            }
            Err(error) => Missed::Without(error.kind.into()),
        };
        Err(Looked { budget, missed })
    }

    /// A look that can be kept. When it fails, the store is asked in the common way: the connection that tells of changes may
    /// be broken while the other is not.
    async fn look_to_keep(&self, budget: &mut Budget) -> (Result<Seen, StoreError>, Option<Box<Slot>>) {
        match self.look_near(budget).await {
            Ok(Some((seen, slot))) => (Ok(seen), slot),
            Ok(None) | Err(_) => (self.look(budget).await, None),
        }
    }

    /// Looks where the entry stands: under its key, and if a value of another type stands there, beside that.
    pub(super) async fn look_beside_too(&mut self, budget: &mut Budget) -> Result<Seen, StoreError> {
        match self.look(budget).await {
            Ok(Seen::Base(base)) => {
                self.goes_beside(base);
                self.look(budget).await
            }
            seen => seen,
        }
    }

    /// The value that the first look found could not be decoded.
    pub(super) fn rejects(&self, entry: &Entry, reason: MissReason) -> Looked {
        self.missed(reason);
        let head = entry.head.as_ref().map_or(&[][..], Head::as_bytes);
        Looked::at_once(Missed::Unusable(Replace::unusable(head)), &self.engine)
    }

    /// Whether what the store says may be believed now. To be asked after a step was announced and before it is taken: who
    /// joins later asks for itself.
    pub(super) fn may_look(&self) -> Result<(), MissReason> {
        if self.is_pending() {
            self.engine.replay();
            return Err(MissReason::Pending);
        }
        if self.engine.may_use_store() { Ok(()) } else { Err(MissReason::BreakerOpen) }
    }

    /// Whether anything may be stored now.
    pub(super) fn may_store(&self) -> Result<(), UnstoredReason> {
        self.may_look().map_err(|reason| match reason {
            MissReason::Pending => UnstoredReason::Pending,
            _ => UnstoredReason::Fault,
        })
    }

    /// GET, which begins now; of the tags as well, if there are any. What has to do with tags is boxed, since every call's
    /// future holds this one.
    pub(super) async fn look(&self, budget: &mut Budget) -> Result<Seen, StoreError> {
        if self.tagged.is_some() || self.site.names_tags || self.site.names_all {
            return Box::pin(self.look_at_tags(budget)).await;
        }
        match self.got(budget.step(&self.engine, |store, within| store.get(&self.key, within)).await)? {
            Checked::Seen(seen) => Ok(seen),
            // Another site's: this one's values name none.
            Checked::Named(named) => Ok(self.unusable(MissReason::Type, &named.register)),
        }
    }

    async fn look_at_tags(&self, budget: &mut Budget) -> Result<Seen, StoreError> {
        if let Some(tagged) = &self.tagged {
            return self.look_at_all(tagged, budget).await;
        }
        match self.got(budget.step(&self.engine, |store, within| store.get(&self.key, within)).await)? {
            Checked::Seen(seen) => Ok(seen),
            Checked::Named(named) => self.look_at_named(*named, budget).await,
        }
    }

    /// Judges the answer to a GET of the key alone.
    fn got(&self, answer: Result<Option<Bytes>, StoreError>) -> Result<Checked, StoreError> {
        match answer {
            Ok(Some(register)) => Ok(self.seen(register, std::iter::empty())),
            Ok(None) => Ok(Checked::Seen(Seen::Nothing)),
            Err(error) if error.kind == FaultKind::WrongType => {
                self.missed(MissReason::WrongType);
                // ACQUIRE replaces it unasked.
                Ok(Checked::Seen(Seen::Unusable(Replace::Nothing)))
            }
            Err(error) => Err(error),
        }
    }

    async fn look_at_all(&self, tagged: &Tagged, budget: &mut Budget) -> Result<Seen, StoreError> {
        let mut registers = budget.step(&self.engine, |store, within| store.get_all(&tagged.keys, within)).await?;
        let Some((register, depends_on)) = registers.split_first_mut() else { return Ok(Seen::Nothing) };
        match self.judge(register.take(), depends_on) {
            Checked::Seen(seen) => Ok(seen),
            Checked::Named(named) => self.look_at_named(*named, budget).await,
        }
    }

    /// Judges what stood in the entry's place while what it depends on, the base and the tags that the call tells, had these
    /// registers.
    pub(super) fn judge(&self, register: Option<Bytes>, depends_on: &[Option<Bytes>]) -> Checked {
        let Some(tags) = self.beside(depends_on) else { return Checked::Seen(Seen::Moved) };
        let Some(register) = register else { return Checked::Seen(Seen::Nothing) };
        let positional = if self.site.names_all { &[] } else { tags };
        match self.seen(register, positional.iter().map(Option::as_deref)) {
            // Whoever takes a lease creates the tags of the load along with it. One that is not there was invalidated since
            // (or lost, which is as bad): the value would not be valid.
            Checked::Seen(Seen::Lease(head)) if tags.iter().any(Option::is_none) => {
                Checked::Seen(Seen::Worthless(head))
            }
            Checked::Named(named) => match self.told(&named, tags).filter(|_| self.site.names_all) {
                Some(holds) => Checked::Seen(self.judged(*named, holds)),
                None => Checked::Named(named),
            },
            seen @ Checked::Seen(_) => seen,
        }
    }

    /// Whether the entry's tags hold, if these registers of the tags that the call tells suffice to know.
    fn told(&self, named: &Named, now: &[Option<Bytes>]) -> Option<bool> {
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

    fn judged(&self, named: Named, holds: bool) -> Seen {
        if holds {
            self.valid(named.register, named.found)
        } else {
            self.unusable(MissReason::Invalidated, &named.register)
        }
    }

    /// Reads the tags of which only the value tells.
    pub(super) async fn look_at_named(&self, named: Named, budget: &mut Budget) -> Result<Seen, StoreError> {
        let tags = self.named_tags(&named);
        let registers = budget.step(&self.engine, |store, within| store.get_all(&tags, within)).await?;
        Ok(self.judge_named(named, &tags, &registers))
    }

    /// The registers of the tags of which only the value tells.
    pub(super) fn named_tags(&self, named: &Named) -> Vec<Key> {
        let prefix = &self.engine.settings.prefix;
        named.found.recorded.names().map(|name| prefix.register(name)).collect()
    }

    /// Judges a value by the registers of the tags that it names.
    pub(super) fn judge_named(&self, named: Named, tags: &[Key], registers: &[Option<Bytes>]) -> Seen {
        if self.engine.pending.covers(tags.iter()) {
            return self.unusable(MissReason::Pending, &named.register);
        }
        let holds = named.found.recorded.holds_named(registers.iter().map(Option::as_deref));
        self.judged(named, holds && (!self.site.names_all || self.tags().iter().all(|told| tags.contains(told))))
    }

    /// Reads and counts a register that stood in the entry's place while the tags that the call tells had these registers, and
    /// the base, if there is one, was what it has to be.
    pub(super) fn seen<'a>(&self, register: Bytes, tags: impl ExactSizeIterator<Item = Option<&'a [u8]>>) -> Checked {
        Checked::Seen(match self.read(&register) {
            Register::Value(found) if !found.recorded.holds(self.base().map(|base| base.head), tags) => {
                self.unusable(MissReason::Invalidated, &register)
            }
            Register::Value(found) if found.recorded.names().len() > 0 => {
                return Checked::Named(Box::new(Named { register, found }));
            }
            Register::Value(found) => self.valid(register, found),
            Register::Lease(head) => self.seen_lease(head),
            Register::Invalid(reason) => match Head::from_bytes(&register).filter(|_| self.may_be_base(reason)) {
                Some(head) => Seen::Base(Base { head, reason }),
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

    fn valid(&self, register: Bytes, found: Found) -> Seen {
        let Some(age) = self.age(&found) else { return self.unusable(MissReason::Stale, &register) };
        self.site.counters.bytes_read.add(register.len() as u64);
        let entry = Entry::found(register, found, age);
        if age == Age::Spare { Seen::Spare(Box::new(entry)) } else { Seen::Value(entry) }
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

    fn unusable(&self, reason: MissReason, register: &[u8]) -> Seen {
        self.missed(reason);
        Seen::Unusable(Replace::unusable(register))
    }
}
