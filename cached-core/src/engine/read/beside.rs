//! Entries of different types under one key.
//!
//! Builds of a rolling deployment, and the types of a generic repository, may give one key values of different fingerprints.
//! The first build to load stores under the key. A call that finds a value of another type there goes *beside* it: its entry stands
//! under a companion key, and depends on the value that it was found beside, the *base*, as it would depend on a tag. So whatever
//! removes or replaces the base ends all that stands beside it: every invalidation by key, tag or event, every write, a plain
//! DEL, an eviction. To none of these a second register means anything.
//!
//! The base's head is taken from the look that found it, and so before the load begins. Heads are never used again.
//!
//! # When the base ends
//! The entries beside it are of no use from then on. The next load, of whatever type, is stored under the key again.

use crate::engine::target::{Base, Tagged, Target};
use crate::key::{Key, companion};
use crate::reason::MissReason;
use bytes::Bytes;
use std::sync::Arc;

impl Target {
    /// Where the entry stands: under its key, or beside the base that was found there.
    pub(crate) fn place(&self) -> &Key {
        self.tagged.as_ref().and_then(|tagged| tagged.keys.first()).unwrap_or(&self.key)
    }

    /// The base that the entry stands beside, if it does.
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
        let keys = [place, Arc::clone(&self.key)].into_iter().chain(self.tags().iter().cloned()).collect();
        self.tagged = Some(Box::new(Tagged { keys, base: Some(base) }));
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

    /// Whether the base, if there is one, is what it was.
    pub(crate) async fn base_holds(&self) -> bool {
        if self.base().is_none() {
            return true;
        }
        let (engine, base) = (&self.engine, std::slice::from_ref(&self.key));
        let read = engine.budget().step(engine, |store, within| store.get_all(base, within)).await;
        read.is_ok_and(|registers| self.beside(&registers).is_some())
    }

    /// Of the registers of what the entry depends on, those of its tags; `None` if the base is not what it was.
    pub(crate) fn beside<'a>(&self, registers: &'a [Option<Bytes>]) -> Option<&'a [Option<Bytes>]> {
        let Some(base) = self.base() else { return Some(registers) };
        let (now, tags) = registers.split_first()?;
        now.as_ref().is_some_and(|now| now.starts_with(base.head.as_bytes())).then_some(tags)
    }
}
