//! The entry that one call is about.

use super::flight::{FlightKey, FlightKind};
use super::forced::ForcedCall;
use super::site::NearPolicy;
use super::{Engine, SiteRef};
use crate::envelope::tags::TagRecord;
use crate::envelope::times::Times;
use crate::envelope::{self, Content, Draft, ERROR, Expectation, Head, Register};
use crate::key::Key;
use crate::near::{NameRef, Words};
use crate::outcome::{CacheValue, Shape};
use crate::reason::MissReason;
use crate::site::Site;
use crate::ttl::{Lifetime, MAX_TTL};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// An entry in a cache, as one site uses it.
#[derive(Debug, Clone)]
pub struct Target {
    pub(super) engine: Arc<Engine>,
    pub(super) site: SiteRef,
    pub(super) key: Key,
    pub(super) fingerprint: u64,
    /// Rare facts about this call. Boxed, because most calls have none.
    pub(super) left: Option<Box<LeftByNear>>,
    /// `None` if the entry stands under its key and the call has no call tags. Boxed, because every call's future holds
    /// a target, and few have tags.
    pub(super) tagged: Option<Box<Dependencies>>,
}

/// What few calls have: what the near cache found out before they went to the store, and what their caller wants of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeftByNear {
    /// What stands for the key in the near cache.
    pub(super) words: Option<Words>,
    /// The random number, from 0 up to, but not including, 1, by which the value in the near cache is due for a
    /// refresh. The value in the store is judged by the same number, so that chance decides once, and a value that has
    /// been refreshed by now is not refreshed again.
    pub(super) draw: Option<f64>,
    /// Set if the call refreshes by force, until the loaded value is stored or not.
    pub(super) forced: Option<ForcedCall>,
    /// The call neither stores nor serves errors, though its function does.
    pub(super) wants_no_errors: bool,
}

/// The registers that one read asks for.
#[derive(Debug, Clone)]
pub(crate) struct Dependencies {
    /// Where the entry stands, then what it depends on: the base if it stands beside one, and the call tags.
    pub(super) keys: Vec<Key>,
    /// The value of another type or build that the entry stands beside.
    pub(super) base: Option<Base>,
}

/// The value that an entry stands beside. It may still be loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Base {
    /// The value is not there yet, but the lease of its load is.
    pub(crate) is_lease: bool,
    /// The head of the value, also while only the lease of its load stands there.
    pub(crate) head: Head,
    /// Why this call cannot use it.
    pub(crate) reason: MissReason,
}

impl Engine {
    /// The entry with values of type `T` under `key`, at a site without an attribute.
    pub(crate) fn target_at<T: CacheValue>(self: &Arc<Self>, site: SiteRef, key: Key) -> Target {
        let fingerprint = site.fingerprint::<T>("");
        Target { engine: Arc::clone(self), site, key, fingerprint, left: None, tagged: None }
    }

    /// What stands under `key`, whatever its type is.
    pub(crate) fn target_by_key(self: &Arc<Self>, site: &'static Site, key: Key) -> Target {
        Target { engine: Arc::clone(self), site: self.site(site), key, fingerprint: 0, left: None, tagged: None }
    }
}

impl Target {
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The key as it stands in the store.
    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    /// The flight that this call shares with others of the same key and type.
    pub(super) fn flight(&self) -> FlightKey {
        // A call that stores no errors could not use one that it follows to.
        let errors = self.site.error_fingerprint(self.fingerprint).filter(|_| !self.wants_no_errors());
        let fingerprint = errors.unwrap_or(self.fingerprint);
        FlightKey { key: Key::clone(&self.key), fingerprint, kind: FlightKind::Common }
    }

    /// The flight of the calls that have waited too long for that one.
    pub(super) fn late_flight(&self) -> FlightKey {
        FlightKey { kind: FlightKind::Late, ..self.flight() }
    }

    /// The flight of the calls that refresh by force.
    pub(super) fn forced_flight(&self) -> FlightKey {
        FlightKey { kind: FlightKind::Forced, ..self.flight() }
    }

    /// Makes this a call that neither stores nor serves errors, though its function does.
    pub(crate) fn without_errors(mut self) -> Self {
        if self.site.errors.is_some() {
            self.left.get_or_insert_default().wants_no_errors = true;
        }
        self
    }

    fn wants_no_errors(&self) -> bool {
        self.left.as_ref().is_some_and(|left| left.wants_no_errors)
    }

    /// Makes this call a forced refresh.
    pub(super) fn force(&mut self, call: ForcedCall) {
        call.waits_for(self.engine.settings.budget);
        self.left.get_or_insert_default().forced = Some(call);
    }

    /// Whether this call refreshes by force.
    pub(super) fn is_forced(&self) -> bool {
        self.left.as_ref().is_some_and(|left| left.forced.is_some())
    }

    /// Parses a register that stood in the entry's place.
    pub(super) fn parse(&self, register: &Bytes) -> Register {
        let expected = Expectation {
            key: self.place(),
            codec: self.site.codec.id(),
            fingerprint: self.fingerprint,
            max_payload: self.engine.settings.max_value_bytes,
        };
        match envelope::read(register, expected) {
            Register::Invalid(MissReason::Type) => self.parse_error(register, expected),
            register => register,
        }
    }

    /// Parses a register that holds no value of this type. It may hold an error.
    #[cold]
    fn parse_error(&self, register: &Bytes, expected: Expectation<'_>) -> Register {
        match self.site.error_fingerprint(self.fingerprint) {
            None => Register::Invalid(MissReason::Type),
            Some(fingerprint) => {
                envelope::read(register, Expectation { codec: expected.codec | ERROR, fingerprint, ..expected })
            }
        }
    }

    /// Sets the type of the values.
    pub(super) fn set_type<S: Shape>(&mut self, _: S, path: &'static str) {
        self.fingerprint = self.site.fingerprint::<S::Item>(path);
        if S::STORES_ERRORS {
            self.site.stores_errors::<S::Error>(self.fingerprint);
        }
    }

    /// Adds a call tag that the entry depends on.
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

    /// The call tags.
    pub(super) fn tags(&self) -> &[Key] {
        let Some(tagged) = &self.tagged else { return &[] };
        tagged.keys.get(1 + usize::from(tagged.base.is_some())..).unwrap_or_default()
    }

    /// What a load depends on while it runs: the call tags, and the register of all tags if the site has value tags.
    pub(super) fn load_tags(&self) -> Vec<Key> {
        let all_tags = self.site.names_tags.then(|| self.engine.settings.prefix.all_tags());
        self.tags().iter().cloned().chain(all_tags).collect()
    }

    /// The name of its value in the near cache.
    pub(super) fn asked(&self, local: &NearPolicy) -> NameRef<'_> {
        let words = self.left.as_ref().and_then(|left| left.words);
        NameRef::new(local.kind(self.fingerprint), words, &self.key)
    }

    /// What an entry records: the stamps of the call tags, and the names and stamps of the value tags.
    pub(super) fn recorded(&self, call_stamps: &[Head], mut named: Vec<(Box<str>, Head)>) -> TagRecord {
        let base = self.base().map(|base| base.head);
        if !self.site.names_all {
            return TagRecord::new(base.iter().chain(call_stamps), named);
        }
        let prefix = &self.engine.settings.prefix;
        named.extend(self.tags().iter().map(|tag| Box::from(prefix.name_of(tag))).zip(call_stamps.iter().copied()));
        TagRecord::new(&base, named)
    }

    /// Whether the queue of this process holds an invalidation of this entry.
    pub(super) fn is_pending(&self) -> bool {
        self.engine.queue.covers(std::iter::once(&self.key).chain(self.tags()))
    }

    /// The register of a value, and how long it lives. `stamp` must never be used again. `lifetime` does not include
    /// the time that a value is kept past its end.
    pub(super) fn register(
        &self,
        content: Content<&[u8]>,
        recorded: &TagRecord,
        lifetime: Lifetime,
        stamp: u128,
        load_time: Duration,
    ) -> (Bytes, Duration) {
        // The upper half is random; the lower one may hold a lease's purpose.
        let ttl = lifetime.jittered(self.site.jitter, (stamp >> 64) as u64);
        // An error is not served past its end and not refreshed ahead of it.
        let fresh = self.site.stored_fresh.filter(|_| !content.is_error());
        let window = fresh.map_or(Duration::ZERO, |fresh| fresh.window());
        let is_timed = fresh.is_some_and(|fresh| fresh.is_timed());
        let grace = fresh.map_or(Duration::ZERO, |fresh| fresh.grace(ttl, load_time));
        let times = is_timed.then(|| Times::new(self.engine.clock.wall(), ttl, load_time));
        let errors = self.site.error_fingerprint(self.fingerprint).filter(|_| content.is_error());
        let draft = Draft {
            key: self.place(),
            head: Head::value(stamp),
            codec: self.site.codec.id(),
            fingerprint: errors.unwrap_or(self.fingerprint),
            content,
            times,
            recorded,
            compress_above: self.engine.settings.compress_above,
        };
        (envelope::write(&draft), ttl.saturating_add(window).saturating_add(grace).min(MAX_TTL))
    }
}
