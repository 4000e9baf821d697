//! How generated code reads the near cache: before anything else, and without waiting.

use super::{Call, TypedCall};
use crate::engine::control::{self, Mode};
use crate::engine::handle::Cache;
use crate::engine::refresh::ahead::lead;
use crate::engine::site::NearPolicy;
use crate::engine::site::account::CALLS;
use crate::engine::target::{LeftByNear, Target};
use crate::engine::{Engine, SiteState, ambient, nesting};
use crate::key::{Key, KeySegment};
use crate::near::keep::{Keep, Keeps, Unkept};
use crate::near::{Answer, CachedNone, KeptError, KeptValue, NameRef, Words};
use crate::outcome::{Shape, Stored};
use crate::site::Site;
use std::sync::Arc;
use std::time::Duration;

/// Reads the near cache.
///
/// # Errors
/// None: an `Err` is the call that the near cache did not answer.
#[inline]
pub fn near<S: Shape, K: Keeps<S>>(
    site: &'static Site,
    cache: Option<&Cache>,
    path: &'static str,
    segments: &[&dyn KeySegment],
    shape: S,
    keep: K,
) -> Result<S::Return, TypedCall> {
    if control::is_on() {
        return controlled(site, cache, path, segments, shape, keep);
    }
    let wanted = NearCall { site, path, segments, fingerprint: |site, path| site.fingerprint::<S::Item>(path) };
    let draw = match ambient::in_cache(cache, |cache| wanted.kept(cache.engine())) {
        Some(Ok(kept)) => {
            if let Some(returned) = returned::<S, K::Values, K::Errors>(kept) {
                if is_traced() {
                    ambient::in_cache(cache, |cache| wanted.trace_hit(cache.engine()));
                }
                return Ok(returned);
            }
            ambient::in_cache(cache, |cache| cache.engine().site(site).not_cloned::<S::Item>());
            None
        }
        Some(Err(NearMiss { draw })) => draw,
        None => None,
    };
    let call = ambient::in_cache(cache, |cache| Call::after_near(cache.engine(), site, path, segments, draw));
    Err(call.unwrap_or_else(|| Call::without_cache(site)).typed(shape))
}

/// As [`near`], for a call that is controlled: with its key rendered, as if it had call tags.
#[cold]
fn controlled<S: Shape, K: Keeps<S>>(
    site: &'static Site,
    cache: Option<&Cache>,
    path: &'static str,
    segments: &[&dyn KeySegment],
    shape: S,
    keep: K,
) -> Result<S::Return, TypedCall> {
    let call = ambient::in_cache(cache, |cache| Call::after_near(cache.engine(), site, path, segments, None));
    call.unwrap_or_else(|| Call::without_cache(site)).near(shape, keep)
}

/// One call, as generated code describes it.
#[derive(Clone, Copy)]
struct NearCall<'a> {
    site: &'static Site,
    path: &'static str,
    segments: &'a [&'a dyn KeySegment],
    /// Makes the fingerprint of the values' type at a site.
    fingerprint: fn(&SiteState, &'static str) -> u64,
}

/// There is no value to serve.
#[derive(Debug, Clone, Copy)]
struct NearMiss {
    /// Set if there is a value that is due for a refresh: the random number in `0.0..1.0` that has decided so.
    draw: Option<f64>,
}

impl NearCall<'_> {
    /// The value to serve. It allocates nothing, and it does not depend on the type, so it is compiled once.
    fn kept(&self, engine: &Engine) -> Result<KeptValue, NearMiss> {
        let state = engine.site(self.site);
        let Some(local) = &state.local else { return Err(NearMiss { draw: None }) };
        let fingerprint = state.first_fingerprint(self.path).unwrap_or_else(|| (self.fingerprint)(&state, self.path));
        let kind = local.kind(fingerprint);
        if let Some(words) = local.words(self.segments) {
            return local.kept(&NameRef::Words(kind, words), &[]);
        }
        let (template, prefix) = (self.site.spec().template, &engine.settings.prefix);
        let kept =
            prefix.with_rendered(template, self.path, self.segments, |key| local.kept(&NameRef::Text(kind, key), &[]));
        kept.unwrap_or(Err(NearMiss { draw: None }))
    }
}

/// Whether anybody listens to the events of near hits.
#[inline]
fn is_traced() -> bool {
    tracing::enabled!(target: CALLS, tracing::Level::TRACE)
}

impl NearCall<'_> {
    /// Emits the event of a near hit.
    #[cold]
    fn trace_hit(&self, engine: &Engine) {
        let key = engine.settings.prefix.render(self.site.spec().template, self.path, self.segments);
        engine.site(self.site).near_hit(key.as_deref().unwrap_or_default());
    }
}

impl NearPolicy {
    /// The integers that stand for a key, if they can.
    #[inline]
    fn words(&self, segments: &[&dyn KeySegment]) -> Option<Words> {
        if self.has_words { Words::of(segments) } else { None }
    }

    /// The value to serve.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "saves one in twenty instructions of a near hit, measured")]
    fn kept(&self, asked: &NameRef<'_>, tags: &[Key]) -> Result<KeptValue, NearMiss> {
        // A kept value may be older than the stamps under which the load around this call will be stored.
        if nesting::is_inside() {
            return Err(NearMiss { draw: None });
        }
        let mut draw = None;
        let is_early = |left: Duration, load_time| {
            let Some(beta) = self.ahead else { return false };
            left.as_secs_f64() <= lead(load_time, beta, *draw.insert(fastrand::f64()))
        };
        match self.near.get(asked, tags, self.serves_in_gap, is_early) {
            Answer::Value(kept) => {
                self.hits.one();
                Ok(kept)
            }
            Answer::Early => Err(NearMiss { draw }),
            Answer::Nothing => Err(NearMiss { draw: None }),
        }
    }
}

/// The return value made of a kept value; `None` if its `Clone` panics. (Or if it is of another type, which cannot
/// happen because the map key contains the fingerprint.)
#[inline]
fn returned<S: Shape, K: Keep<S::Item>, E: Keep<S::Error>>(kept: KeptValue) -> Option<S::Return> {
    match K::give(kept) {
        Ok(item) => S::rebuild(Stored::Some(item)),
        Err(kept) if kept.is::<CachedNone>() => S::rebuild(Stored::None),
        Err(kept) if S::STORES_ERRORS => {
            let error = E::give(KeptValue::clone(&kept.downcast_ref::<KeptError>()?.0)).ok()?;
            S::rebuild(Stored::Err(error))
        }
        Err(_) => None,
    }
}

impl Target {
    /// The value to serve, or the near miss. `None` if the site does not use the near cache.
    fn kept(&self) -> Option<Result<KeptValue, NearMiss>> {
        let local = self.site.local.as_ref()?;
        Some(local.kept(&self.asked(local), self.tags()))
    }

    /// How long the near cache serves its value of this entry.
    pub(crate) fn kept_for(&self) -> Option<Duration> {
        let local = self.site.local.as_ref()?;
        local.near.left(&self.asked(local))
    }

    /// As [`near`], for one key of a batch.
    pub(crate) fn near<S: Shape, K: Keep<S::Item>>(&self) -> Option<S::Return> {
        self.returned::<S, K, Unkept>(self.kept()?.ok()?)
    }

    fn returned<S: Shape, K: Keep<S::Item>, E: Keep<S::Error>>(&self, kept: KeptValue) -> Option<S::Return> {
        let returned = returned::<S, K, E>(kept);
        if returned.is_none() {
            self.site.not_cloned::<S::Item>();
            self.not_cloned();
            return None;
        }
        self.near_served();
        if is_traced() {
            self.site.near_hit(&self.key);
        }
        returned
    }
}

impl Call {
    /// A call that the near cache did not answer. `draw`: set if the value in there is due for a refresh, see
    /// [`NearMiss`].
    pub(crate) fn after_near(
        engine: &Arc<Engine>,
        site: &'static Site,
        path: &'static str,
        segments: &[&dyn KeySegment],
        draw: Option<f64>,
    ) -> Self {
        let key = engine.settings.prefix.render(site.spec().template, path, segments);
        let mut call = Self::of(Arc::clone(engine), engine.site(site), key, path);
        if let Some(target) = &mut call.target
            && let Some(local) = &target.site.local
        {
            let words = local.words(segments);
            target.left = (draw.is_some() || words.is_some())
                .then(|| Box::new(LeftByNear { words, draw, ..LeftByNear::default() }));
        }
        call
    }

    /// As [`near`], for a call with call tags.
    ///
    /// # Errors
    /// None: an `Err` is the call that the near cache did not answer.
    pub fn near<S: Shape, K: Keeps<S>>(self, shape: S, _: K) -> Result<S::Return, TypedCall> {
        let mut call = self.typed(shape);
        if control::mode() != Mode::Plain {
            return Err(call.controlled::<S>());
        }
        let Some(target) = &mut call.target else { return Err(call) };
        match target.kept() {
            Some(Ok(kept)) => {
                if let Some(returned) = target.returned::<S, K::Values, K::Errors>(kept) {
                    return Ok(returned);
                }
            }
            Some(Err(NearMiss { draw: None })) | None => {}
            Some(Err(NearMiss { draw })) => target.left.get_or_insert_default().draw = draw,
        }
        Err(call)
    }
}
