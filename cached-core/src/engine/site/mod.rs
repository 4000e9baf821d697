//! A site in one cache: its resolved policy, its counters, its fingerprints.

pub(crate) mod account;
mod backlog;
pub(in crate::engine) mod by_hand;
mod errors;
mod log_lines;
pub(crate) mod notices;

use super::refresh::freshness::FreshPolicy;
use super::settings::Settings;
use crate::codec::Codec;
use crate::counter::StripedCounter;
use crate::fingerprint;
use crate::near::{Near, may_be_words};
use crate::site::{self, Freshness, Kept, Local, Role, Site, SiteName, SiteSpec};
use crate::stats::{Counters, SiteStats};
use crate::ttl::{DEFAULT_CLASS, DEFAULT_ERROR_CLASS, DEFAULT_NONE_CLASS, Lifetime, MAX_TTL, NoneTtl, TtlSpec};
use backlog::Backlog;
use errors::StoredErrors;
use notices::Notices;
use serde::de::DeserializeOwned;
use std::any::{TypeId, type_name};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

/// How long tags live at least. Entries of many sites share a tag, and most of them live shorter than this.
const TAG_TIME: Duration = Duration::from_secs(2 * 3600);

#[derive(Debug)]
pub(crate) struct SiteState {
    pub(crate) site: &'static Site,
    /// The user's name for it, if it is one of entries by hand.
    name: Option<&'static str>,
    pub(crate) counters: Counters,
    pub(crate) codec: Codec,
    pub(super) jitter: f64,
    pub(super) ttl: Duration,
    /// `None` if a `None` is not stored.
    pub(super) none_ttl: Option<Duration>,
    /// `None` if no error is stored.
    pub(super) errors: Option<StoredErrors>,
    /// Half of this is how long tags have to live, as far as is known before a load; see
    /// [`Store::tag`](crate::store::Store::tag).
    pub(super) tag_time: Duration,
    /// The site has value tags.
    pub(super) names_tags: bool,
    /// Entries store the names of all tags, because a reader without an attribute does not know them.
    pub(super) names_all: bool,
    /// What to do with values near or past their end. `None` if a value past its end is unusable.
    pub(super) fresh: Option<FreshPolicy>,
    /// The same for those who read what this site stores.
    pub(super) stored_fresh: Option<FreshPolicy>,
    /// How long values are kept past their end.
    pub(super) window: Duration,
    /// The near cache, if the site uses it.
    pub(super) local: Option<NearPolicy>,
    /// The user's version of types whose shape cannot be seen completely.
    version: Option<u32>,
    /// The site's part of the fingerprints.
    pub(super) identity: String,
    /// The last value that was stored beside another type's lease was lost, because the other load stored nothing. The
    /// next call then waits for such a lease and stores under the key. Otherwise this type would have no value for as
    /// long as the other is loaded.
    pub(crate) waits_for_other_types: AtomicBool,
    /// The fingerprint that was asked for first. A generic function has one for each of its types; most sites have only
    /// one.
    first_fingerprint: OnceLock<(TypeId, &'static str, u64)>,
    pub(super) fingerprints: RwLock<Vec<(TypeId, &'static str, u64)>>,
    /// What has been logged about the site.
    pub(super) notices: Notices,
    pub(super) backlog: Backlog,
    pub(super) round_trips: RoundTrips,
}

/// The round trip of a site's first values is checked for each of them, later for one in so many.
const CHECKED_AT_FIRST: u32 = 16;
const CHECKED_LATER: u32 = 64;

/// Which values of a site are read back before they are stored.
#[derive(Debug, Default)]
pub(super) struct RoundTrips {
    stores: AtomicU32,
    has_found_change: AtomicBool,
}

impl RoundTrips {
    /// Whether to check this value: the first ones, some of the later ones, and all once a value has come back changed.
    pub(super) fn is_due(&self) -> bool {
        let number = self.stores.fetch_add(1, Ordering::Relaxed);
        number < CHECKED_AT_FIRST
            || number.is_multiple_of(CHECKED_LATER)
            || self.has_found_change.load(Ordering::Relaxed)
    }

    /// Notes that a value has come back changed.
    pub(super) fn found(&self) {
        self.has_found_change.store(true, Ordering::Relaxed);
    }
}

/// How a site uses the near cache.
#[derive(Debug)]
pub(super) struct NearPolicy {
    pub(super) time: Duration,
    pub(super) serves_in_gap: bool,
    /// Integers can stand for its keys. Not with call tags: they have to be rendered, and the key with them.
    pub(super) has_words: bool,
    /// Keeps the values of functions apart that have different `local` times, or of which only one keeps errors.
    salt: u64,
    /// β of `XFetch`.
    pub(super) ahead: Option<f64>,
    pub(super) near: Arc<Near>,
    pub(super) hits: StripedCounter,
}

impl NearPolicy {
    /// The kind of values with this fingerprint in the near cache. Functions share kept values if they share entries
    /// and keep values for the same time.
    #[inline]
    pub(super) fn kind(&self, fingerprint: u64) -> u64 {
        fingerprint ^ self.salt
    }
}

fn salt(time: Duration, stores_errors: bool) -> u64 {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    millis.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ if stores_errors { 0x0e44_0e44_0e44_0e44 } else { 0 }
}

/// A site's state as a call holds it. The states of the first cache live as long as the process, so they need no
/// reference count, for which threads would contend.
#[derive(Debug, Clone)]
pub(crate) enum SiteRef {
    First(&'static SiteState),
    Other(Arc<SiteState>),
}

impl Deref for SiteRef {
    type Target = SiteState;

    fn deref(&self) -> &SiteState {
        match self {
            Self::First(state) => state,
            Self::Other(state) => state,
        }
    }
}

impl SiteState {
    pub(super) fn new(site: &'static Site, settings: &Settings, near: impl FnOnce() -> Arc<Near>) -> Self {
        Self::of(site, site.spec(), None, settings, near)
    }

    /// The state of a site whose options are those of `spec`.
    pub(super) fn of(
        site: &'static Site,
        spec: &SiteSpec,
        name: Option<&'static str>,
        settings: &Settings,
        near: impl FnOnce() -> Arc<Near>,
    ) -> Self {
        let class = |class: &str, otherwise: &str| {
            settings.classes.get(class).or_else(|| {
                tracing::warn!(
                    site = name.unwrap_or_else(|| site.path()),
                    place = site.place(),
                    class,
                    "no such TTL class: values live as those of `{otherwise}`; there are {}; add it by `.ttl_class(..)` \
                     on the builder",
                    settings.classes.names()
                );
                settings.classes.get(otherwise)
            })
        };
        let all = site::all();
        let kept = Kept::at(site, spec, &all);
        let ttl = match kept.ttl {
            TtlSpec::Class(name) => class(name, DEFAULT_CLASS),
            TtlSpec::Millis(ms) => Some(Duration::from_millis(ms)),
            TtlSpec::Default | TtlSpec::Dynamic => settings.classes.get(DEFAULT_CLASS),
        };
        let none_ttl = match kept.none_ttl.unwrap_or(NoneTtl::Class(DEFAULT_NONE_CLASS)) {
            NoneTtl::Off => None,
            NoneTtl::Class(name) => class(name, DEFAULT_NONE_CLASS),
            NoneTtl::Millis(ms) => Some(Duration::from_millis(ms)),
        };
        let errors = spec.error_ttl.map(|ttl| match ttl {
            TtlSpec::Class(name) => class(name, DEFAULT_ERROR_CLASS),
            TtlSpec::Millis(ms) => Some(Duration::from_millis(ms)),
            TtlSpec::Default | TtlSpec::Dynamic => settings.classes.get(DEFAULT_ERROR_CLASS),
        });
        // Functions have a template.
        let is_by_hand = spec.template.is_empty();
        let local = match spec.local {
            Some(Local::Off) => None,
            Some(Local::Millis(ms)) => Some(Duration::from_millis(ms)),
            // Unless the caller has said so, nothing proves that the near cache can keep the type.
            None => settings.near.time.filter(|_| !is_by_hand),
        };
        let local = local.filter(|_| spec.role == Role::Read);
        let policy = |fresh: &Freshness| (*fresh != Freshness::NONE).then(|| FreshPolicy::of(fresh));
        let (fresh, stored_fresh) = (policy(&spec.fresh), policy(&kept.fresh));
        let window = stored_fresh.map_or(Duration::ZERO, |fresh| fresh.window());
        let longest = ttl.unwrap_or_default().saturating_add(window);
        Self {
            fresh,
            stored_fresh,
            window,
            local: local.map(|time| NearPolicy {
                time,
                serves_in_gap: spec.serves_in_gap,
                has_words: !is_by_hand
                    && may_be_words(spec.template)
                    && spec.tags.is_empty()
                    && spec.listens.is_empty(),
                salt: salt(time, spec.error_ttl.is_some()),
                ahead: spec.fresh.ahead,
                near: near(),
                hits: StripedCounter::default(),
            }),
            site,
            name,
            counters: Counters::default(),
            codec: spec.codec.unwrap_or(settings.codec),
            jitter: kept.jitter.unwrap_or(settings.jitter),
            ttl: ttl.unwrap_or_default(),
            tag_time: (4 * longest.min(MAX_TTL)).max(TAG_TIME).min(MAX_TTL),
            none_ttl,
            errors: errors.map(|ttl| StoredErrors::new(ttl.unwrap_or_default())),
            names_tags: spec.tags.iter().any(|tag| tag.template.is_none()),
            names_all: is_by_hand,
            version: spec.version.or(if is_by_hand { settings.version } else { None }),
            identity: format!("{}\0{}", settings.version.unwrap_or(1), site::identity(site, &all)),
            notices: Notices::default(),
            backlog: Backlog::default(),
            round_trips: RoundTrips::default(),
            waits_for_other_types: AtomicBool::new(false),
            first_fingerprint: OnceLock::new(),
            fingerprints: RwLock::default(),
        }
    }

    /// The same site for a call that is not counted, keeps nothing near, and reads no stored errors.
    pub(crate) fn uncounted(&self) -> Self {
        Self {
            counters: Counters::default(),
            local: None,
            errors: None,
            identity: self.identity.clone(),
            notices: Notices::default(),
            backlog: Backlog::default(),
            round_trips: RoundTrips::default(),
            waits_for_other_types: AtomicBool::new(false),
            first_fingerprint: OnceLock::new(),
            fingerprints: RwLock::default(),
            ..*self
        }
    }

    pub(crate) fn stats(&self) -> SiteStats {
        let stats = self.counters.snapshot(self.site, self.near_hits());
        match self.name {
            Some(name) => SiteStats { site: name.to_owned(), path: name.to_owned(), ..stats },
            None => stats,
        }
    }

    /// How long a `None` is stored, if it is.
    pub(crate) fn none_lifetime(&self) -> Option<Lifetime> {
        self.none_ttl.map(Lifetime::About)
    }

    pub(crate) fn jitter(&self) -> f64 {
        self.jitter
    }

    /// Its name in the log: that of the user, or the function's path.
    pub(crate) fn path(&self) -> &'static str {
        self.name.unwrap_or_else(|| self.site.path())
    }

    /// The names by which a call's status tells of it.
    pub(super) fn names(&self) -> SiteName {
        self.name.map_or_else(|| self.site.names(), |name| SiteName { name, path: name })
    }

    /// Calls that the near cache has answered.
    pub(super) fn near_hits(&self) -> u64 {
        self.local.as_ref().map_or(0, |local| local.hits.get())
    }

    /// The fingerprint of the values of a function with this path, if it is the one that was asked for first. Most
    /// sites have no other.
    #[inline]
    pub(super) fn first_fingerprint(&self, path: &'static str) -> Option<u64> {
        let (_, at, fingerprint) = self.first_fingerprint.get()?;
        is_same(at, path).then_some(*fingerprint)
    }

    /// The fingerprint of values of type `T` at this site; made once per type and path.
    #[inline]
    pub(super) fn fingerprint<T: DeserializeOwned + 'static>(&self, path: &'static str) -> u64 {
        let id = TypeId::of::<T>();
        let is_it = |(ty, at, _): &(TypeId, &'static str, u64)| *ty == id && is_same(at, path);
        if let Some(first @ (.., fingerprint)) = self.first_fingerprint.get()
            && is_it(first)
        {
            return *fingerprint;
        }
        let known = |made: &[(TypeId, &'static str, u64)]| made.iter().find(|one| is_it(one)).map(|one| one.2);
        if let Some(fingerprint) = known(&self.fingerprints.read().unwrap_or_else(PoisonError::into_inner)) {
            return fingerprint;
        }
        let generics = fingerprint::generics(path);
        let made = fingerprint::of::<T>(self.codec, self.version, &self.identity, &generics);
        if made.is_of_build {
            self.note_build(type_name::<T>());
        }
        let fingerprint = made.value;
        let _ = self.first_fingerprint.set((id, path, fingerprint));
        self.fingerprints.write().unwrap_or_else(PoisonError::into_inner).push((id, path, fingerprint));
        fingerprint
    }

    /// The fingerprint of the errors that the site stores beside values with this one; `None` if it stores no errors.
    #[inline]
    pub(super) fn error_fingerprint(&self, of_values: u64) -> Option<u64> {
        self.errors.as_ref()?.fingerprint(of_values)
    }

    /// Makes the fingerprint of errors of type `E`, once for each fingerprint of values.
    pub(super) fn stores_errors<E: DeserializeOwned + 'static>(&self, of_values: u64) {
        let Some(errors) = &self.errors else { return };
        if errors.fingerprint(of_values).is_some() {
            return;
        }
        let made = fingerprint::of_errors::<E>(of_values, self.version);
        if made.is_of_build {
            self.note_build(type_name::<E>());
        }
        errors.learns(of_values, made.value);
    }
}

/// Whether two paths are equal. The same path may have several addresses in the program, but mostly the addresses are
/// equal.
#[inline]
fn is_same(one: &'static str, other: &'static str) -> bool {
    std::ptr::eq(one, other) || one == other
}
