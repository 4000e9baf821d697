//! Single steps for callers without an attribute: read, write, remove.

use super::lookup::Lookup;
use super::{Engine, SiteState};
use crate::clock::Clock;
use crate::envelope::{self, Draft, Entry, Head, Register};
use crate::error::CacheError;
use crate::key::Key;
use crate::lease::random_id;
use crate::outcome::CacheValue;
use crate::stats::MissReason;
use crate::ttl::jittered;
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
        Ok(_) => return None,
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
    let stamp = random_id().ok_or(CacheError::NoRandomness)?;
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are as random as the others")]
    let ttl = jittered(ttl.unwrap_or(site.ttl), site.jitter, stamp as u64);
    let register = envelope::write(&Draft {
        key: &key,
        head: Head::value(stamp),
        codec: site.codec.id(),
        fingerprint: site.fingerprint::<T>(""),
        fresh_until_ms: Clock::wall_ms().saturating_add(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)),
        load_time: Duration::ZERO,
        payload: Some(&payload),
        compress_above: settings.compress_above,
    });
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
