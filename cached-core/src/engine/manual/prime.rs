//! Stores a value only if nothing stands there and nobody is loading: ACQUIRE, then FILL, as a load that takes no time.
//!
//! # On cancellation
//! The lease is released, and nothing is stored.
//!
//! # When Redis is down
//! An error says so, and nothing is stored.

use super::{Prepared, gate};
use crate::engine::health::is_on_tokio;
use crate::engine::read::Reading;
use crate::engine::target::Target;
use crate::envelope::Content;
use crate::error::CacheError;
use crate::lease::Lease;
use crate::store::{Acquired, Fill, Replace};
use std::sync::Arc;
use std::time::Duration;

/// How often a register that has changed meanwhile is read again.
const ATTEMPTS: u32 = 3;

impl Target {
    /// Stores the value unless there is one, or somebody is loading one. Returns whether it was stored.
    pub(crate) async fn prime(mut self, prepared: Prepared) -> Result<bool, CacheError> {
        let engine = Arc::clone(&self.engine);
        if !is_on_tokio() {
            return Err(CacheError::NoRuntime);
        }
        engine.usable_to_store()?;
        let mut budget = engine.budget();
        for _ in 0..ATTEMPTS {
            let replace = match self.read_beside_too(&mut budget).await? {
                Reading::Value(_) | Reading::Lease(_) | Reading::Worthless(_) => return Ok(false),
                Reading::Nothing => Replace::Nothing,
                Reading::Unusable(replace) => replace,
                // No call is served it unless its load fails.
                Reading::Fallback(entry) => {
                    let head = entry.head.as_ref().map(|head| Replace::unusable(head.as_bytes()));
                    head.unwrap_or(Replace::Nothing)
                }
                Reading::Base(_) | Reading::Moved => {
                    self.comes_back();
                    continue;
                }
            };
            let (releases, key) = (Arc::clone(&engine.releases), self.place().clone());
            let lease = Lease::new(releases, key, self.purpose(), engine.settings.lease_ttl);
            let mut lease = lease.ok_or(CacheError::NoRandomness)?;
            let acquire = |_, within| lease.acquire(replace, within);
            let (acquired, stamps) = match self.tagging(&prepared.value_tags, prepared.lifetime)? {
                Some(tagging) => {
                    let tag = |store, within| gate::tag(store, tagging.request(within));
                    budget.both(&engine, acquire, tag).await
                }
                None => (budget.step(&engine, acquire).await, Ok(Some(Vec::new()))),
            };
            match acquired? {
                Acquired::Granted => {}
                Acquired::Leased(_) => return Ok(false),
                Acquired::Writing => return Err(CacheError::Writing),
                // It came since this has read, and may be one that nobody is served.
                Acquired::Value(_) => continue,
            }
            let stamps = stamps?.ok_or(CacheError::Writing)?;
            let Prepared { payload, lifetime, value_tags } = &prepared;
            let recorded = self.recorded_by(stamps, value_tags);
            let (register, ttl) =
                self.register(Content::Value(payload), &recorded, *lifetime, lease.id(), Duration::ZERO);
            let (written, head) = (register.len() as u64, lease.head());
            let fill =
                budget.step(&engine, |store, within| store.fill(Fill::new(self.place(), head, register, ttl, within)));
            let is_filled = fill.await?;
            engine.wrote([&self.key]);
            lease.forget();
            if is_filled {
                self.stored(written);
            }
            // Otherwise the key was invalidated or stored meanwhile, and the value may be older than that.
            return Ok(is_filled);
        }
        Ok(false)
    }
}
