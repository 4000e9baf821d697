//! The near cache as generated code asks it: before anything else, and without waiting.

use super::{Call, TypedCall};
use crate::engine::handle::Cache;
use crate::engine::refresh::policy::lead;
use crate::engine::site::NearPolicy;
use crate::engine::site::account::CALLS;
use crate::engine::target::{LeftByNear, Target};
use crate::engine::{Engine, SiteState, ambient, asking, nesting};
use crate::key::{Key, KeySegment};
use crate::near::keep::Keep;
use crate::near::{Answer, CachedNone, KeptValue, NameRef, Words};
use crate::outcome::Shape;
use crate::site::Site;
use std::sync::Arc;
use std::time::Duration;

/// Looks into the near cache. An `Err` is the call that it did not answer.
///
/// # Errors
/// None, see above.
#[inline]
pub fn near<S: Shape, K: Keep<S::Item>>(
    site: &'static Site,
    cache: Option<&Cache>,
    path: &'static str,
    segments: &[&dyn KeySegment],
    shape: S,
    _: K,
) -> Result<S::Return, TypedCall> {
    if asking::is_on() {
        return Err(asked(site, cache, path, segments, shape));
    }
    let wanted = NearCall { site, path, segments, fingerprint: |site, path| site.fingerprint::<S::Item>(path) };
    let draw = match ambient::in_cache(cache, |cache| wanted.kept(cache.engine())) {
        Some(Ok(kept)) => {
            if let Some(returned) = given::<S, K>(kept) {
                if is_told() {
                    ambient::in_cache(cache, |cache| wanted.tell(cache.engine()));
                }
                return Ok(returned);
            }
            ambient::in_cache(cache, |cache| cache.engine().site(site).not_cloned::<S::Item>());
            None
        }
        Some(Err(NearMiss { draw })) => draw,
        None => None,
    };
    let left = ambient::in_cache(cache, |cache| Call::left(cache.engine(), site, path, segments, draw));
    Err(left.unwrap_or_else(|| Call::without_cache(site)).typed(shape))
}

/// A call that is asked comes here instead of to [`near`](super::near::near).
#[cold]
fn asked<S: Shape>(
    site: &'static Site,
    cache: Option<&Cache>,
    path: &'static str,
    segments: &[&dyn KeySegment],
    shape: S,
) -> TypedCall {
    let call = ambient::in_cache(cache, |cache| Call::left(cache.engine(), site, path, segments, None));
    call.unwrap_or_else(|| Call::without_cache(site)).typed(shape).asked::<S>()
}

/// One call, as generated code describes it.
#[derive(Clone, Copy)]
struct NearCall<'a> {
    site: &'static Site,
    path: &'static str,
    segments: &'a [&'a dyn KeySegment],
    /// The fingerprint of the values' type at a site.
    fingerprint: fn(&SiteState, &'static str) -> u64,
}

/// There is no value to be served.
#[derive(Debug, Clone, Copy)]
struct NearMiss {
    /// There is one that is to be renewed: by the number that chance has drawn, from 0 up to, but not including, 1.
    draw: Option<f64>,
}

impl NearCall<'_> {
    /// The value to be served. Nothing is allocated, and nothing that depends on the type is done: it is compiled once.
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

/// Whether anybody listens to near hits.
#[inline]
fn is_told() -> bool {
    tracing::enabled!(target: CALLS, tracing::Level::TRACE)
}

impl NearCall<'_> {
    /// The event of a near hit.
    #[cold]
    fn tell(&self, engine: &Engine) {
        let key = engine.settings.prefix.render(self.site.spec().template, self.path, self.segments);
        engine.site(self.site).near_hit(key.as_deref().unwrap_or_default());
    }
}

impl NearPolicy {
    /// What stands for a key, if integers can.
    #[inline]
    fn words(&self, segments: &[&dyn KeySegment]) -> Option<Words> {
        if self.has_words { Words::of(segments) } else { None }
    }

    /// The value to be served.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "one in twenty instructions of a near hit, counted")]
    fn kept(&self, asked: &NameRef<'_>, tags: &[Key]) -> Result<KeptValue, NearMiss> {
        // What is kept may be older than the stamps under which the load around this call is going to be stored.
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

/// The return value that was kept; `None` if its `Clone` panics. (Or if it is of another type, which its name rules out.)
#[inline]
fn given<S: Shape, K: Keep<S::Item>>(kept: KeptValue) -> Option<S::Return> {
    match K::give(kept) {
        Ok(item) => S::rebuild(Some(item)),
        Err(kept) if kept.is::<CachedNone>() => S::rebuild(None),
        Err(_) => None,
    }
}

impl Target {
    /// The value to be served, or why there is none, if its site uses the near cache.
    fn kept(&self) -> Option<Result<KeptValue, NearMiss>> {
        let local = self.site.local.as_ref()?;
        Some(local.kept(&self.asked(local), self.tags()))
    }

    /// As [`near`], of one of a batch.
    pub(crate) fn near<S: Shape, K: Keep<S::Item>>(&self) -> Option<S::Return> {
        self.given::<S, K>(self.kept()?.ok()?)
    }

    fn given<S: Shape, K: Keep<S::Item>>(&self, kept: KeptValue) -> Option<S::Return> {
        let returned = given::<S, K>(kept);
        if returned.is_none() {
            self.site.not_cloned::<S::Item>();
        } else if is_told() {
            self.site.near_hit(&self.key);
        }
        returned
    }
}

impl Call {
    /// What the near cache leaves to the engine. `draw`: the value in there is to be renewed, as chance has it.
    pub(crate) fn left(
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
            target.left = (draw.is_some() || words.is_some()).then(|| Box::new(LeftByNear { words, draw }));
        }
        call
    }

    /// As [`near`], of a call that tells tags.
    ///
    /// # Errors
    /// None: an `Err` is the call that the near cache did not answer.
    pub fn near<S: Shape, K: Keep<S::Item>>(self, shape: S, _: K) -> Result<S::Return, TypedCall> {
        let mut call = self.typed(shape);
        if asking::is_on() {
            return Err(call.asked::<S>());
        }
        let Some(target) = &mut call.target else { return Err(call) };
        match target.kept() {
            Some(Ok(kept)) => {
                if let Some(returned) = target.given::<S, K>(kept) {
                    return Ok(returned);
                }
            }
            Some(Err(NearMiss { draw: None })) | None => {}
            Some(Err(NearMiss { draw })) => target.left = Some(Box::new(LeftByNear { words: None, draw })),
        }
        Err(call)
    }
}
