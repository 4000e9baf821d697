//! What a call's options say about storing its value.

mod argument;
mod tag_list;

pub use argument::{Named, NamedArgument, NamedWhole};
pub use tag_list::TagList;

use super::settings::Settings;
use super::site::SiteState;
use super::site::notices::Cause;
use super::target::Target;
use crate::invalidation::Tag;
use crate::outcome::{CacheValue, NoError};
use crate::reason::UnstoredReason;
use crate::round_trip::{self, Check, Comparison};
use crate::ttl::Lifetime;
use crate::user_code::{UserCode, caught};
use std::any::type_name;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What an attribute (or an entry by hand) says about storing, as far as that needs the value's type.
pub struct Policy<T, E = NoError> {
    ttl: Option<Duration>,
    ttl_of: Option<fn(&T) -> Duration>,
    cache_if: Option<fn(&T) -> bool>,
    /// Behind a pointer, because the future of every call with an attribute has room for a policy.
    captured: Option<Arc<Captured<T>>>,
    /// How a value is compared with what comes back from the codec.
    check: Option<Check<T>>,
    errors: ErrorPolicy<E>,
}

/// What it says about errors.
struct ErrorPolicy<E> {
    error_if: Option<fn(&E) -> bool>,
    /// As for values.
    check: Option<Check<E>>,
}

impl<E> Copy for ErrorPolicy<E> {}

impl<E> Clone for ErrorPolicy<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Default for ErrorPolicy<E> {
    fn default() -> Self {
        Self { error_if: None, check: None }
    }
}

/// Closures that may capture something: those of entries by hand, and those that make the value tags.
struct Captured<T> {
    ttl_of: Option<Closure<T, Duration>>,
    cache_if: Option<Closure<T, bool>>,
    tags_of: Option<Closure<T, Vec<Tag>>>,
}

type Closure<T, R> = Arc<dyn Fn(&T) -> R + Send + Sync>;

impl<T> Clone for Captured<T> {
    fn clone(&self) -> Self {
        Self { ttl_of: self.ttl_of.clone(), cache_if: self.cache_if.clone(), tags_of: self.tags_of.clone() }
    }
}

impl<T, E> fmt::Debug for Policy<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

impl<T, E> Clone for Policy<T, E> {
    fn clone(&self) -> Self {
        Self { captured: self.captured.clone(), ..*self }
    }
}

impl<T, E> Default for Policy<T, E> {
    fn default() -> Self {
        let errors = ErrorPolicy::default();
        Self { ttl: None, ttl_of: None, cache_if: None, captured: None, check: None, errors }
    }
}

macro_rules! tags_of_value_and_arguments {
    ($($(#[$doc:meta])* $method:ident($($argument:ident: $ty:ident),*);)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $method<$($ty,)* I>(self, $($argument: &$ty,)* tags_of: fn(&T, $(&$ty),*) -> I) -> Self
        where
            T: 'static,
            $($ty: NamedArgument + ?Sized,)*
            I: TagList + 'static,
        {
            // A `Clone` that panics must not break the call: the value is not stored.
            let kept = caught(|| ($($argument.keep(),)*));
            self.tags_by(move |value: &T| {
                let Ok(($($argument,)*)) = &kept else { panic!("the `Clone` of an argument has panicked") };
                tags_of(value, $($ty::lend($argument)),*)
            })
        }
    )*};
}

impl<T, E> Policy<T, E> {
    /// `ttl = expression`
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl: Some(ttl), ..self }
    }

    /// The time to live is the site's.
    pub(crate) fn without_ttl(self) -> Self {
        Self { ttl: None, ..self }
    }

    /// `ttl = |value| expression`
    #[must_use]
    pub fn ttl_of(self, ttl_of: fn(&T) -> Duration) -> Self {
        Self { ttl_of: Some(ttl_of), ..self }
    }

    /// `cache_if = |value| expression`
    #[must_use]
    pub fn cache_if(self, cache_if: fn(&T) -> bool) -> Self {
        Self { cache_if: Some(cache_if), ..self }
    }

    /// `tags = |value| expression`
    #[must_use]
    pub fn tags_of<I>(self, tags_of: fn(&T) -> I) -> Self
    where
        T: 'static,
        I: TagList + 'static,
    {
        self.tags_by(tags_of)
    }

    /// As [`tags_of`](Self::tags_of), with a closure that may capture something.
    pub(crate) fn tags_by<I>(self, tags_of: impl Fn(&T) -> I + Send + Sync + 'static) -> Self
    where
        I: TagList,
    {
        let tags_of = move |value: &T| tags_of(value).tags();
        self.capturing(|captured| captured.tags_of = Some(Arc::new(tags_of)))
    }

    /// As [`ttl_of`](Self::ttl_of), with a closure that may capture something.
    pub(crate) fn ttl_by(self, ttl_of: impl Fn(&T) -> Duration + Send + Sync + 'static) -> Self {
        self.capturing(|captured| captured.ttl_of = Some(Arc::new(ttl_of)))
    }

    /// As [`cache_if`](Self::cache_if), with a closure that may capture something.
    pub(crate) fn cache_by(self, cache_if: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self {
        self.capturing(|captured| captured.cache_if = Some(Arc::new(cache_if)))
    }

    fn capturing(mut self, add: impl FnOnce(&mut Captured<T>)) -> Self {
        let none = || Captured { ttl_of: None, cache_if: None, tags_of: None };
        let mut captured = self.captured.take().map_or_else(none, Arc::unwrap_or_clone);
        add(&mut captured);
        self.captured = Some(Arc::new(captured));
        self
    }

    /// The policy of values of another type: only its time does not need the type.
    pub(crate) fn of_type<V>(&self) -> Policy<V> {
        Policy { ttl: self.ttl, ..Policy::default() }
    }

    tags_of_value_and_arguments! {
        /// `tags = |value, a| expression`
        tags_of_1(a: A);
        /// `tags = |value, a, b| expression`
        tags_of_2(a: A, b: B);
        /// `tags = |value, a, b, c| expression`
        tags_of_3(a: A, b: B, c: C);
        /// `tags = |value, a, b, c, d| expression`
        tags_of_4(a: A, b: B, c: C, d: D);
    }

    /// `error_if = |error| expression`
    #[must_use]
    pub fn error_if(self, error_if: fn(&E) -> bool) -> Self {
        Self { errors: ErrorPolicy { error_if: Some(error_if), ..self.errors }, ..self }
    }

    /// How the type's values are compared.
    #[must_use]
    pub fn compared(self, comparison: Comparison<T>) -> Self {
        Self { check: comparison.check(), ..self }
    }

    /// How its errors are compared.
    #[must_use]
    pub fn errors_compared(self, comparison: Comparison<E>) -> Self {
        Self { errors: ErrorPolicy { check: comparison.check(), ..self.errors }, ..self }
    }

    /// What it says about values.
    pub(crate) fn of_values(&self) -> Policy<T> {
        let Self { ttl, ttl_of, cache_if, ref captured, check, .. } = *self;
        Policy { ttl, ttl_of, cache_if, captured: captured.clone(), check, errors: ErrorPolicy::default() }
    }

    /// Whether the error is an answer, which is stored, and not a failure of the load.
    pub(crate) fn is_answer(&self, error: &E, target: &Target) -> bool {
        let Some(error_if) = self.errors.error_if else { return false };
        target.site.caught::<E, _>(UserCode::ErrorIf, || error_if(error)).unwrap_or_else(|| {
            target.unstored(UnstoredReason::Panicked);
            false
        })
    }

    pub(crate) fn check(&self) -> Option<Check<T>> {
        self.check
    }

    /// The value tags.
    pub(crate) fn names(&self, value: &T, site: &SiteState) -> Result<Vec<Tag>, UnstoredReason> {
        let tags_of = self.captured.as_ref().and_then(|captured| captured.tags_of.as_ref());
        let Some(tags_of) = tags_of else { return Ok(Vec::new()) };
        site.caught::<T, _>(UserCode::Tags, || tags_of(value)).ok_or(UnstoredReason::Panicked)
    }

    /// The time to live of the value before jitter, if it is to be stored.
    pub(crate) fn ttl_for(&self, value: &T, site: &SiteState) -> Result<Lifetime, UnstoredReason> {
        let captured = self.captured.as_ref();
        let caught_if = |cache_if: &dyn Fn(&T) -> bool| {
            site.caught::<T, _>(UserCode::CacheIf, || cache_if(value)).ok_or(UnstoredReason::Panicked)
        };
        let is_wanted = match (&self.cache_if, captured.and_then(|captured| captured.cache_if.as_deref())) {
            (Some(cache_if), _) => caught_if(cache_if)?,
            (None, Some(cache_if)) => caught_if(cache_if)?,
            (None, None) => true,
        };
        if !is_wanted {
            return Err(UnstoredReason::Policy);
        }
        let caught_ttl = |ttl_of: &dyn Fn(&T) -> Duration| {
            site.caught::<T, _>(UserCode::Ttl, || ttl_of(value)).ok_or(UnstoredReason::Panicked)
        };
        let ttl = match (&self.ttl_of, captured.and_then(|captured| captured.ttl_of.as_deref())) {
            (Some(ttl_of), _) => Some(caught_ttl(ttl_of)?),
            (None, Some(ttl_of)) => Some(caught_ttl(ttl_of)?),
            (None, None) => self.ttl,
        };
        let lifetime = ttl.map_or(Lifetime::About(site.ttl), Lifetime::AtMost);
        if lifetime.time().is_zero() { Err(UnstoredReason::Policy) } else { Ok(lifetime) }
    }
}

impl<T, E: CacheValue> Policy<T, E> {
    /// The encoded error, and how long it is to be stored or why it is not.
    ///
    /// # Errors
    /// Why the error cannot be encoded.
    pub(crate) fn error_payload(
        &self,
        error: &E,
        site: &SiteState,
        settings: &Settings,
    ) -> Result<(Vec<u8>, Result<Lifetime, UnstoredReason>), UnstoredReason> {
        let ttl = || site.errors.as_ref().map(|errors| Lifetime::About(errors.ttl)).ok_or(UnstoredReason::Policy);
        encoded(error, site, settings, self.errors.check, ttl)
    }
}

impl<T: CacheValue, E> Policy<T, E> {
    /// The encoded value, and how long it is to be stored or why it is not.
    ///
    /// # Errors
    /// Why the value cannot be encoded.
    pub(crate) fn payload(
        &self,
        value: &T,
        site: &SiteState,
        settings: &Settings,
    ) -> Result<(Vec<u8>, Result<Lifetime, UnstoredReason>), UnstoredReason> {
        encoded(value, site, settings, self.check, || self.ttl_for(value, site))
    }

    /// The encoded value and its time to live, if it is to be stored.
    pub(crate) fn encoded(
        &self,
        value: &T,
        site: &SiteState,
        settings: &Settings,
    ) -> Result<(Vec<u8>, Lifetime), UnstoredReason> {
        let (payload, ttl) = self.payload(value, site, settings)?;
        Ok((payload, ttl?))
    }
}

/// The encoded value, and how long it is to be stored or why it is not. `ttl` is asked only if the value is small
/// enough.
fn encoded<T: CacheValue>(
    value: &T,
    site: &SiteState,
    settings: &Settings,
    check: Option<Check<T>>,
    ttl: impl FnOnce() -> Result<Lifetime, UnstoredReason>,
) -> Result<(Vec<u8>, Result<Lifetime, UnstoredReason>), UnstoredReason> {
    let payload = encode(value, site)?;
    let (bytes, max) = (payload.len(), settings.max_value_bytes);
    if bytes > max {
        site.note(Cause::TooLarge, || Some(format!("{bytes} bytes, {max} allowed")));
        return Ok((payload, Err(UnstoredReason::TooLarge)));
    }
    let ttl = ttl();
    if ttl.is_ok() {
        comes_back(value, site, &payload, check)?;
    }
    Ok((payload, ttl))
}

/// The value as its site's codec writes it.
pub(crate) fn encode<T: CacheValue>(value: &T, site: &SiteState) -> Result<Vec<u8>, UnstoredReason> {
    let mut payload = Vec::with_capacity(256);
    let encoded = site.caught::<T, _>(UserCode::Serialize, || site.codec.encode(value, &mut payload));
    match encoded {
        Some(Ok(())) => Ok(payload),
        Some(Err(refusal)) => {
            site.note_refusal(type_name::<T>(), &refusal);
            Err(UnstoredReason::Encode)
        }
        None => Err(UnstoredReason::Panicked),
    }
}

/// Checks that a value comes back unchanged from its payload. At most sites this is done only now and then.
pub(crate) fn comes_back<T: CacheValue>(
    value: &T,
    site: &SiteState,
    payload: &[u8],
    check: Option<Check<T>>,
) -> Result<(), UnstoredReason> {
    if !site.round_trips.is_due() {
        return Ok(());
    }
    let check = check.unwrap_or(round_trip::by_bytes::<T>);
    check(value, site.codec, payload).map_err(|difference| {
        site.round_trips.found();
        site.note_changed(type_name::<T>(), difference.near.as_deref());
        UnstoredReason::Changed
    })
}
