//! The generic shell around the engine: all that is compiled once per cached function.

use super::lookup::{Lookup, Turn};
use super::permit::{Finished, Storable};
use super::target::Target;
use super::{Engine, SiteState, is_on_tokio};
use crate::envelope::Entry;
use crate::key::Key;
use crate::outcome::{Loaded, Shape};
use crate::reason::{MissReason, UnstoredReason};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What an attribute (or [`Options`](crate::Options)) says about storing, where it takes the value's type.
pub struct Policy<T> {
    ttl: Option<Duration>,
    ttl_of: Option<fn(&T) -> Duration>,
    cache_if: Option<fn(&T) -> bool>,
}

impl<T> fmt::Debug for Policy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

impl<T> Default for Policy<T> {
    fn default() -> Self {
        Self { ttl: None, ttl_of: None, cache_if: None }
    }
}

impl<T> Policy<T> {
    /// `ttl = expression`
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl: Some(ttl), ..self }
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

    fn ttl_for(&self, value: &T, site: &SiteState) -> Result<Duration, UnstoredReason> {
        if self.cache_if.is_some_and(|cache_if| !cache_if(value)) {
            return Err(UnstoredReason::Policy);
        }
        match self.ttl_of.map(|ttl_of| ttl_of(value)).or(self.ttl).unwrap_or(site.ttl) {
            Duration::ZERO => Err(UnstoredReason::Policy),
            ttl => Ok(ttl),
        }
    }
}

/// One call: of a target, or uncached.
#[derive(Debug)]
pub struct Call {
    target: Option<Target>,
    path: &'static str,
}

impl Call {
    /// `None` for a key stands for arguments that have no form.
    pub(crate) fn of(engine: &Arc<Engine>, site: Arc<SiteState>, key: Option<Key>, path: &'static str) -> Self {
        if key.is_none() {
            site.counters.miss(MissReason::Key);
            site.counters.loads.one();
            site.counters.bypassed.one();
        }
        // Outside of tokio, whose timers and tasks the engine needs, functions run uncached.
        let target = key.filter(|_| is_on_tokio()).map(|key| {
            // What the fingerprint is made of, the type, is known only when the call begins.
            Target { engine: Arc::clone(engine), site, key, fingerprint: 0 }
        });
        Self { target, path }
    }

    /// Without a cache.
    pub(crate) fn uncached() -> Self {
        Self { target: None, path: "" }
    }
}

/// Serves the call from the cache, or runs `load` and stores what it returns.
///
/// Not an `async fn`: that would hold its arguments twice. All that is large is boxed, and only when it is needed, so
/// that a cached function's future is hardly larger than its arguments.
#[expect(clippy::manual_async_fn, reason = "see above")]
pub fn get_or_load<S, F, Fut>(call: Call, _: S, policy: Policy<S::Item>, load: F) -> impl Future<Output = S::Return>
where
    S: Shape,
    F: FnOnce() -> Fut,
    Fut: Future<Output = S::Return>,
{
    async move {
        let Call { target: Some(mut target), path } = call else { return Box::pin(load()).await };
        target.fingerprint = target.site.fingerprint::<S::Item>(path);
        let looked = match target.first_look().await {
            Ok(entry) => match decode::<S>(&target.site, &entry) {
                Ok(value) => return value,
                Err(reason) => target.rejects(&entry, reason),
            },
            Err(looked) => looked,
        };
        Box::pin(find_or_load::<S, _, _>(Lookup::new(target, looked), policy, load)).await
    }
}

/// What remains of a call whose first look did not hit.
async fn find_or_load<S, F, Fut>(mut lookup: Lookup, policy: Policy<S::Item>, load: F) -> S::Return
where
    S: Shape,
    F: FnOnce() -> Fut,
    Fut: Future<Output = S::Return>,
{
    loop {
        match lookup.next().await {
            Turn::Value(entry) => match decode::<S>(&lookup.target.site, &entry) {
                Ok(value) => return value,
                Err(reason) => lookup.reject(&entry, reason),
            },
            Turn::Load(permit) => {
                let (returned, finished) = permit.load(load).await;
                if let Some((finished, storable)) = settle::<S>(&lookup, finished, &policy, &returned) {
                    finished.share_and_store(storable);
                }
                return returned;
            }
        }
    }
}

fn decode<S: Shape>(site: &SiteState, entry: &Entry) -> Result<S::Return, MissReason> {
    let item = match entry.payload() {
        Some(payload) => Some(site.codec.decode(payload).map_err(|_| MissReason::Payload)?),
        None => None,
    };
    let value = S::rebuild(item).ok_or(MissReason::Type)?;
    site.served(entry);
    Ok(value)
}

/// What is to be shared and stored of a load, if anything is.
fn settle<S: Shape>(
    lookup: &Lookup,
    finished: Finished,
    policy: &Policy<S::Item>,
    returned: &S::Return,
) -> Option<(Finished, Storable)> {
    let site = &lookup.target.site;
    let loaded = S::inspect(returned);
    if let Loaded::Failed = loaded {
        site.counters.load_errors.one();
        finished.failed();
        return None;
    }
    if !finished.is_wanted() {
        finished.unstored(UnstoredReason::NoLease);
        return None;
    }
    let storable = match loaded {
        Loaded::None => Storable { payload: None, ttl: site.none_ttl.ok_or(UnstoredReason::Policy) },
        Loaded::Some(value) => {
            let mut payload = Vec::with_capacity(256);
            if site.codec.encode(value, &mut payload).is_err() {
                site.warn_of_codec("write");
                finished.unstored(UnstoredReason::Encode);
                finished.failed();
                return None;
            }
            let too_large = payload.len() > lookup.target.engine.settings.max_value_bytes;
            let ttl = if too_large { Err(UnstoredReason::TooLarge) } else { policy.ttl_for(value, site) };
            Storable { payload: Some(payload), ttl }
        }
        Loaded::Failed => return None,
    };
    Some((finished, storable))
}
