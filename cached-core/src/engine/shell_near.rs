//! The near cache as generated code asks it: before anything else, and without waiting.

use super::freshness::lead;
use super::shell::Call;
use super::site_state::LocalPolicy;
use super::target::{Left, Target};
use super::{Engine, SiteRef};
use crate::ambient;
use crate::cache::Cache;
use crate::key::{Key, KeySegment};
use crate::near::keep::Keep;
use crate::near::{Asked, Kept, words};
use crate::outcome::Shape;
use crate::site::Site;
use std::sync::Arc;

/// One call, as generated code describes it.
#[derive(Clone, Copy)]
struct Asking<'a> {
    site: &'static Site,
    path: &'static str,
    segments: &'a [&'a dyn KeySegment],
    /// The fingerprint of the values' type at a site.
    fingerprint: fn(&SiteRef, &'static str) -> u64,
}

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
    _: S,
    _: K,
) -> Result<S::Return, Call> {
    let fingerprint = |site: &SiteRef, path| site.fingerprint::<S::Item>(path);
    let kept = kept(Asking { site, path, segments, fingerprint }, cache)?;
    given::<S, K>(kept).ok_or_else(|| Call::rendered(site, cache, path, segments))
}

/// All of [`near`] that does not depend on the type.
fn kept(asking: Asking<'_>, cache: Option<&Cache>) -> Result<Option<Kept>, Call> {
    match cache {
        Some(cache) => kept_in(asking, cache.engine()),
        None => ambient::with_current(|cache| match cache {
            Some(cache) => kept_in(asking, cache.engine()),
            None => Err(Call::uncached()),
        }),
    }
}

#[inline]
fn kept_in(asking: Asking<'_>, engine: &Arc<Engine>) -> Result<Option<Kept>, Call> {
    let Asking { site, path, segments, fingerprint } = asking;
    let state = engine.site(site);
    let Some(local) = &state.local else {
        let key = engine.settings.prefix.render(site.spec().template, path, segments);
        return Err(Call::of(Arc::clone(engine), state, key, path));
    };
    let fingerprint = fingerprint(&state, path);
    let words = if local.has_words { words(segments) } else { None };
    let mut early = false;
    if words.is_some() {
        let asked = Asked::new(fingerprint, site, words, "");
        early = local.is_early(&asked);
        if !early && let Some(kept) = local.kept(asked, &[]) {
            return Ok(kept);
        }
    }
    let found = engine.settings.prefix.with_rendered(site.spec().template, path, segments, |key| {
        if words.is_none() {
            let asked = Asked::new(fingerprint, site, None, key);
            early = local.is_early(&asked);
            if !early && let Some(kept) = local.kept(asked, &[]) {
                return Ok(kept);
            }
        }
        Err(Key::from(key))
    });
    let key = match found {
        Some(Ok(kept)) => return Ok(kept),
        Some(Err(key)) => Some(key),
        None => None,
    };
    let mut call = Call::of(Arc::clone(engine), state, key, path);
    if let Some(target) = &mut call.target {
        target.left = (early || words.is_some()).then(|| Box::new(Left { words, early }));
    }
    Err(call)
}

impl LocalPolicy {
    /// Whether there is a value that is to be renewed, rather than to be served.
    #[inline]
    fn is_early(&self, asked: &Asked<'_>) -> bool {
        let rolls = |beta| self.near.is_early(asked, |load_time| lead(load_time, beta, fastrand::f64()));
        self.ahead.is_some_and(rolls)
    }

    /// The value to be served.
    #[inline]
    #[expect(clippy::option_option, reason = "a `None` that is kept is not nothing")]
    fn kept(&self, asked: Asked<'_>, tags: &[Key]) -> Option<Option<Kept>> {
        let kept = self.near.get(asked, tags, self.serves_in_gap)?;
        self.hits.one();
        Some(kept)
    }
}

/// The return value that was kept; `None` if it is of another type, which its name rules out.
#[inline]
fn given<S: Shape, K: Keep<S::Item>>(kept: Option<Kept>) -> Option<S::Return> {
    let item = match kept {
        Some(kept) => Some(K::give(kept)?),
        None => None,
    };
    S::rebuild(item)
}

impl Target {
    /// As [`near`], of one of a batch.
    pub(super) fn near<S: Shape, K: Keep<S::Item>>(&self) -> Option<S::Return> {
        let local = self.site.local.as_ref()?;
        let kept = local.kept(Asked::new(self.fingerprint, self.site.site, None, &self.key), self.tags())?;
        given::<S, K>(kept)
    }
}

impl Call {
    /// As [`near`], of a call that tells tags.
    ///
    /// # Errors
    /// None: an `Err` is the call that the near cache did not answer.
    pub fn near<S: Shape, K: Keep<S::Item>>(mut self, _: S, _: K) -> Result<S::Return, Self> {
        if let Some(target) = &mut self.target
            && let Some(local) = &target.site.local
        {
            let fingerprint = target.site.fingerprint::<S::Item>(self.path);
            let asked = Asked::new(fingerprint, target.site.site, None, &target.key);
            if local.is_early(&asked) {
                target.left = Some(Box::new(Left { words: None, early: true }));
            } else if let Some(value) = local.kept(asked, target.tags()).and_then(given::<S, K>) {
                return Ok(value);
            }
        }
        Err(self)
    }
}
