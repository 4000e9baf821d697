//! Entries of different types under one key.
//!
//! Builds of a rolling deployment, and the types of a generic repository, may give one key values of different
//! fingerprints. The first build to load stores under the key. A call that finds a value of another type there goes
//! *beside* it: its entry stands under a companion key, and depends on the value that was found, the *base*, as it
//! would depend on a tag. So whatever removes or replaces the base ends all entries beside it: every invalidation by
//! key, tag or event, every write, a plain DEL, an eviction. None of these has to know of a second register.
//!
//! The base's head is taken from the read that found it, and so before the load begins. Heads are never used again.
//!
//! A *lease* under the key is a base as well, if it is the lease of another type's load. The value that replaces it has
//! the same 128 bits, so what was loaded beside the lease stands beside the value. No call waits for a load that cannot
//! serve it: a lease says what it is for ([`Purpose`]). A writer's token is not the lease of a load, and no base: what
//! is loaded beside it may be older than the value that replaces it.
//!
//! # When the base ends
//! The entries beside it are unusable from then on. The next load, of whatever type, is stored under the key again.

use super::Reading;
use crate::engine::target::{Base, Dependencies, Target};
use crate::envelope::Head;
use crate::key::{Key, companion};
use crate::lease::Purpose;
use crate::reason::MissReason;
use crate::store::{Each, GetAll};
use bytes::Bytes;
use std::sync::atomic::Ordering;

impl Target {
    /// Where the entry stands: under its key, or beside the base that was found there.
    pub(crate) fn place(&self) -> &Key {
        self.tagged.as_ref().and_then(|tagged| tagged.keys.first()).unwrap_or(&self.key)
    }

    /// What a lease of this call is for.
    pub(crate) fn purpose(&self) -> Purpose {
        self.base().map_or_else(|| Purpose::of(self.fingerprint), |base| Purpose::beside(base.head.id()))
    }

    /// Judges a lease that was found where the entry stands.
    pub(crate) fn judge_lease(&self, head: Head) -> Reading {
        let purpose = Purpose::of_lease(head);
        if purpose == Purpose::NONE || purpose == self.purpose() {
            return Reading::Lease(head);
        }
        match self.base() {
            // It was granted beside another base than this one.
            Some(_) => Reading::Worthless(head),
            // The loads of such leases have stored nothing, so the entries beside them came to nothing.
            None if self.site.waits_for_other_types.load(Ordering::Relaxed) => Reading::Lease(head),
            None => Reading::Base(Base { is_lease: true, head: Head::value(head.id()), reason: MissReason::Type }),
        }
    }

    /// Whether the register holds a lease that this call waits for.
    pub(crate) fn waits_for(&self, register: &[u8]) -> bool {
        let head = Head::from_bytes(register).filter(|_| Head::is_lease(register));
        head.is_some_and(|head| matches!(self.judge_lease(head), Reading::Lease(_)))
    }

    /// The base, if the entry stands beside one.
    pub(crate) fn base(&self) -> Option<Base> {
        self.tagged.as_ref()?.base
    }

    /// Why there is nothing where the entry stands.
    pub(crate) fn absence(&self) -> MissReason {
        self.base().map_or(MissReason::Absent, |base| base.reason)
    }

    /// From now on this call's entry stands beside this base.
    pub(crate) fn goes_beside(&mut self, base: Base) {
        let place = companion(&self.key, &format!("{:016x}", self.fingerprint)).into();
        let keys = [place, Key::clone(&self.key)].into_iter().chain(self.tags().iter().cloned()).collect();
        self.tagged = Some(Box::new(Dependencies { keys, base: Some(base) }));
        self.site.stands_beside();
    }

    /// From now on this call's entry stands under its key again.
    pub(crate) fn comes_back(&mut self) {
        let tags = self.tags().to_vec();
        self.tagged = None;
        for tag in tags {
            self.depends_on(tag);
        }
    }

    /// Notes that an entry beside another type's lease has come to nothing, because that load has stored nothing.
    pub(crate) fn note_orphan(&self) {
        if self.base().is_some_and(|base| base.is_lease) {
            self.site.waits_for_other_types.store(true, Ordering::Relaxed);
        }
    }

    /// Notes that a value was stored. If it stands under the key, other types can go beside it.
    pub(crate) fn note_stored(&self) {
        let flag = &self.site.waits_for_other_types;
        if self.base().is_none() && flag.load(Ordering::Relaxed) {
            flag.store(false, Ordering::Relaxed);
        }
    }

    /// Reads whether the base, if there is one, is still what it was.
    pub(crate) async fn base_holds(&self) -> bool {
        if self.base().is_none() {
            return true;
        }
        let (engine, base) = (&self.engine, std::slice::from_ref(&self.key));
        let read = engine.budget().step(engine, |store, within| store.get_all(GetAll::new(base, within))).await;
        read.and_then(Each::whole).is_ok_and(|registers| self.tags_if_base_holds(&registers).is_some())
    }

    /// Takes the registers of the tags out of those of all that the entry depends on; `None` if the base is not what it
    /// was.
    pub(crate) fn tags_if_base_holds<'a>(&self, registers: &'a [Option<Bytes>]) -> Option<&'a [Option<Bytes>]> {
        let Some(base) = self.base() else { return Some(registers) };
        let (now, tags) = registers.split_first()?;
        let now = now.as_deref().and_then(Head::from_bytes);
        now.is_some_and(|now| now.id() == base.head.id()).then_some(tags)
    }
}
