//! What one call is about.

use super::flight::FlightKey;
use super::site::NearPolicy;
use super::{Engine, SiteRef};
use crate::envelope::tags::Recorded;
use crate::envelope::times::Times;
use crate::envelope::{self, Draft, Expected, Head, Register};
use crate::key::Key;
use crate::near::{Asked, Words};
use crate::outcome::{CacheValue, Shape};
use crate::reason::MissReason;
use crate::site::Site;
use crate::ttl::{Lifetime, MAX_TTL};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// An entry in a cache, as one site means it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(super) engine: Arc<Engine>,
    pub(super) site: SiteRef,
    pub(super) key: Key,
    pub(super) fingerprint: u64,
    /// What the near cache has left to this call. Boxed: most calls have nothing of it.
    pub(super) left: Option<Box<LeftByNear>>,
    /// `None` if the entry stands under its key and the call tells no tags. Boxed, since every call's future holds a target,
    /// and few have tags.
    pub(super) tagged: Option<Box<Dependencies>>,
}

/// What the near cache has left to a call that it did not answer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LeftByNear {
    /// What stands for the key in there.
    pub(super) words: Option<Words>,
    /// The value in there is to be renewed: what chance has drawn, from 0 up to, but not including, 1. The store's value is
    /// judged by the same draw, so that a value is not judged twice, and one that has been renewed by now is not renewed again.
    pub(super) draw: Option<f64>,
}

/// What one look reads.
#[derive(Debug, Clone)]
pub(crate) struct Dependencies {
    /// Where the entry stands and, behind it, what it depends on: the base if it stands beside one, and the tags that the call
    /// tells.
    pub(super) keys: Vec<Key>,
    /// The value of another type, or another build's, that the entry stands beside.
    pub(super) base: Option<Base>,
}

/// The value that an entry stands beside, there or on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Base {
    /// The value is not there yet: a lease is.
    pub(crate) is_lease: bool,
    /// Of the value, also while the lease stands there under which that is loaded.
    pub(crate) head: Head,
    /// Why it is of no use to this call.
    pub(crate) reason: MissReason,
}

impl Engine {
    /// An entry, for callers without an attribute.
    pub(crate) fn target<T: CacheValue>(self: &Arc<Self>, site: &'static Site, key: &str) -> Target {
        let site = self.site(site);
        let fingerprint = site.fingerprint::<T>("");
        Target {
            engine: Arc::clone(self),
            site,
            key: self.settings.prefix.literal(key),
            fingerprint,
            left: None,
            tagged: None,
        }
    }
}

impl Target {
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// As it stands in the store.
    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    /// The same entry, at another site.
    pub(crate) fn at(mut self, site: &'static Site) -> Self {
        self.site = self.engine.site(site);
        self
    }

    /// Callers share a flight if they mean the same key and the same type.
    pub(super) fn flight(&self) -> FlightKey {
        FlightKey { key: Key::clone(&self.key), fingerprint: self.fingerprint, is_late: false }
    }

    /// The flight of calls that have waited for another one for too long.
    pub(super) fn late_flight(&self) -> FlightKey {
        FlightKey { is_late: true, ..self.flight() }
    }

    /// Reads a register that stood under the key.
    pub(super) fn parse(&self, register: &Bytes) -> Register {
        let expected = Expected {
            key: self.place(),
            codec: self.site.codec.id(),
            fingerprint: self.fingerprint,
            max_payload: self.engine.settings.max_value_bytes,
        };
        envelope::read(register, expected)
    }

    /// Says that it is about values of this shape's type.
    pub(super) fn set_type<S: Shape>(&mut self, _: S, path: &'static str) {
        self.fingerprint = self.site.fingerprint::<S::Item>(path);
    }

    /// One more register that the entry depends on.
    pub(super) fn depends_on(&mut self, tag: Key) {
        let key = &self.key;
        let tagged =
            self.tagged.get_or_insert_with(|| Box::new(Dependencies { keys: vec![Key::clone(key)], base: None }));
        tagged.keys.push(tag);
    }

    pub(crate) fn with_tags(mut self, tags: impl Iterator<Item = Key>) -> Self {
        tags.for_each(|tag| self.depends_on(tag));
        self
    }

    /// The tags that the call tells.
    pub(super) fn tags(&self) -> &[Key] {
        let Some(tagged) = &self.tagged else { return &[] };
        tagged.keys.get(1 + usize::from(tagged.base.is_some())..).unwrap_or_default()
    }

    /// What a load depends on while it runs: the tags that the call tells, and the register of all tags if the value is to
    /// tell more.
    pub(super) fn load_tags(&self) -> Vec<Key> {
        let all_tags = self.site.names_tags.then(|| self.engine.settings.prefix.all_tags());
        self.tags().iter().cloned().chain(all_tags).collect()
    }

    /// The name of its value in the near cache.
    pub(super) fn asked(&self, local: &NearPolicy) -> Asked<'_> {
        let words = self.left.as_ref().and_then(|left| left.words);
        Asked::new(local.kind(self.fingerprint), words, &self.key)
    }

    /// What an entry records: the stamps of the tags that the call tells, and of those that only the value does.
    pub(super) fn recorded(&self, told: &[Head], mut named: Vec<(Box<str>, Head)>) -> Recorded {
        let base = self.base().map(|base| base.head);
        if !self.site.names_all {
            return Recorded::new(base.iter().chain(told), named);
        }
        let prefix = &self.engine.settings.prefix;
        named.extend(self.tags().iter().map(|tag| Box::from(prefix.name_of(tag))).zip(told.iter().copied()));
        Recorded::new(&base, named)
    }

    /// Whether an invalidation of this process has not been applied yet that is about this entry.
    pub(super) fn is_pending(&self) -> bool {
        self.engine.queue.covers(std::iter::once(&self.key).chain(self.tags()))
    }

    /// The register of a value stamped with 128 bits that are never used again, and how long it lives; `lifetime` does
    /// without the time that a value is kept past its end, a `payload` of `None` stands for a `None`.
    pub(super) fn register(
        &self,
        payload: Option<&[u8]>,
        recorded: &Recorded,
        lifetime: Lifetime,
        stamp: u128,
        load_time: Duration,
    ) -> (Bytes, Duration) {
        // The upper half is random; in the lower one may stand a lease's purpose.
        let ttl = lifetime.jittered(self.site.jitter, (stamp >> 64) as u64);
        let is_timed = self.site.fresh.is_some_and(|fresh| fresh.is_timed());
        let grace = self.site.fresh.map_or(Duration::ZERO, |fresh| fresh.grace(ttl, load_time));
        let times = is_timed.then(|| Times::new(self.engine.clock.wall(), ttl, load_time));
        let draft = Draft {
            key: self.place(),
            head: Head::value(stamp),
            codec: self.site.codec.id(),
            fingerprint: self.fingerprint,
            payload,
            times,
            recorded,
            compress_above: self.engine.settings.compress_above,
        };
        (envelope::write(&draft), ttl.saturating_add(self.site.window).saturating_add(grace).min(MAX_TTL))
    }
}
