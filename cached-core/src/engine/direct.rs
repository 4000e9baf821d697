//! Single steps for callers without an attribute: read, write, remove.

use super::lookup::Lookup;
use super::{Engine, SiteState};
use crate::envelope::{Entry, Register};
use crate::error::CacheError;
use crate::key::Key;
use crate::outcome::CacheValue;
use crate::stats::MissReason;
use std::sync::Arc;
use std::time::Duration;

/// Reads a value; whatever stands in the way is a counted miss.
pub(crate) async fn get<T: CacheValue>(engine: &Arc<Engine>, site: &Arc<SiteState>, key: Key) -> Option<T> {
    let counters = &site.counters;
    if !engine.may_use_store() {
        counters.miss(MissReason::BreakerOpen);
        return None;
    }
    let mut lookup = Lookup::new(Arc::clone(engine), Arc::clone(site), key);
    lookup.fingerprint = site.fingerprint::<T>("");
    let Entry { payload, register } = match lookup.look().await {
        Ok(Some(Register::Value(entry))) => entry,
        Ok(Some(Register::Lease)) => {
            counters.miss(MissReason::Leased);
            return None;
        }
        Ok(Some(Register::Invalid(_)) | None) => return None,
        Err(error) => {
            counters.miss(error.kind.into());
            return None;
        }
    };
    let Ok(value) = site.codec.decode(&payload?) else {
        counters.miss(MissReason::Payload);
        return None;
    };
    counters.hits.one();
    counters.bytes_read.add(register.map_or(0, |register| register.len() as u64));
    Some(value)
}

/// Stores a value whatever stands under the key.
pub(crate) async fn set<T: CacheValue>(
    engine: &Arc<Engine>,
    site: &Arc<SiteState>,
    key: Key,
    value: &T,
    ttl: Option<Duration>,
) -> Result<(), CacheError> {
    let settings = &engine.settings;
    let mut payload = Vec::with_capacity(256);
    site.codec.encode(value, &mut payload).map_err(|_| CacheError::Encode { codec: site.codec })?;
    if payload.len() > settings.max_value_bytes {
        return Err(CacheError::TooLarge { bytes: payload.len(), max: settings.max_value_bytes });
    }
    if !engine.may_use_store() {
        return Err(CacheError::BreakerOpen);
    }
    let (ttl, fingerprint) = (ttl.unwrap_or(site.ttl), site.fingerprint::<T>(""));
    let register = site.register(settings, &key, fingerprint, Some(&payload), ttl, Duration::ZERO);
    let (register, ttl) = register.ok_or(CacheError::NoRandomness)?;
    let written = register.len() as u64;
    engine.noted(engine.store.put(&key, register, ttl, settings.budget).await)?;
    site.counters.stored.one();
    site.counters.bytes_written.add(written);
    Ok(())
}

/// Removes whatever stands under the key.
pub(crate) async fn remove(engine: &Arc<Engine>, key: Key) -> Result<bool, CacheError> {
    if !engine.may_use_store() {
        return Err(CacheError::BreakerOpen);
    }
    Ok(engine.noted(engine.store.remove(&key, engine.settings.budget).await)?)
}
