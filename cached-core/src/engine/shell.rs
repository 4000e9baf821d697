//! The generic shell around the engine: all that is compiled once per cached function.

use super::lookup::{Lookup, Turn};
use super::permit::{Finished, Permit, Storable};
use super::target::Target;
use super::{Engine, SiteState, is_on_tokio};
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

/// A call that has its key and has not begun.
#[derive(Debug)]
pub(crate) struct Prepared(Lookup);

impl Prepared {
    /// Boxed, as all that is large in a call: a cached function's future is hardly larger than its arguments.
    /// `None` outside of tokio, whose timers and tasks the engine needs: there, functions run uncached.
    pub(crate) fn new(engine: &Arc<Engine>, site: Arc<SiteState>, key: Key) -> Option<Box<Self>> {
        // What the fingerprint is made of, the type, is known only when the call begins.
        let target = Target { engine: Arc::clone(engine), site, key, fingerprint: 0 };
        is_on_tokio().then(|| Box::new(Self(Lookup::new(target))))
    }
}

/// Serves the call from the cache, or runs `load` and stores what it returns.
pub(crate) async fn get_or_load<S, F, Fut>(
    mut call: Box<Prepared>,
    path: &'static str,
    policy: Policy<S::Item>,
    load: F,
) -> S::Return
where
    S: Shape,
    F: FnOnce() -> Fut,
    Fut: Future<Output = S::Return>,
{
    let lookup = &mut call.0;
    lookup.target.fingerprint = lookup.target.site.fingerprint::<S::Item>(path);
    loop {
        match Box::pin(lookup.next()).await {
            Turn::Value(entry) => match decode::<S>(lookup, &entry) {
                Ok(value) => return value,
                Err(reason) => {
                    if reason == MissReason::Payload {
                        lookup.target.site.warn_of_codec("read back");
                    }
                    lookup.reject(&entry, reason);
                }
            },
            Turn::Load(permit) => return Box::pin(load_and_store::<S, _, _>(lookup, permit, policy, load)).await,
        }
    }
}

async fn load_and_store<S, F, Fut>(lookup: &Lookup, permit: Permit, policy: Policy<S::Item>, load: F) -> S::Return
where
    S: Shape,
    F: FnOnce() -> Fut,
    Fut: Future<Output = S::Return>,
{
    let (returned, finished) = permit.load(load).await;
    if let Some((finished, storable)) = settle::<S>(lookup, finished, &policy, &returned) {
        finished.share_and_store(storable);
    }
    returned
}

fn decode<S: Shape>(lookup: &Lookup, entry: &crate::envelope::Entry) -> Result<S::Return, MissReason> {
    let item = match &entry.payload {
        Some(payload) => Some(lookup.target.site.codec.decode(payload).map_err(|_| MissReason::Payload)?),
        None => None,
    };
    let value = S::rebuild(item).ok_or(MissReason::Type)?;
    let counters = &lookup.target.site.counters;
    if entry.register.is_some() {
        counters.hits.one();
    } else {
        counters.coalesced.one();
    }
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
