//! Single steps on one entry, for callers without an attribute: read, store, remove.

use super::budget::Budget;
use super::call::item;
use super::health::is_on_tokio;
use super::policy::{Policy, comes_back, encode};
use super::read::Reading;
use super::target::Target;
use crate::engine::gate;
use crate::envelope::tags::MAX_TAGS;
use crate::envelope::{Entry, Head};
use crate::error::CacheError;
use crate::invalidation::Outcome;
use crate::key::Key;
use crate::lease::random_id;
use crate::outcome::CacheValue;
use crate::reason::MissReason;
use crate::round_trip::Check;
use crate::store::{Put, Remove, TagAll};
use crate::ttl::Lifetime;
use std::pin::Pin;
use std::time::Duration;

/// The future of a value that is being stored.
type Stored = Pin<Box<dyn Future<Output = Result<(), CacheError>> + Send>>;

impl Target {
    /// Reads the value. Any reason for not having one is counted as a miss.
    pub(crate) async fn get<T: CacheValue>(mut self) -> Option<T> {
        let (entry, decoded) = match self.find().await {
            Ok(entry) => {
                let decoded = item(&self.site, &entry).map_err(Some);
                (Some(entry), decoded)
            }
            Err(uncounted) => (None, Err(uncounted)),
        };
        match decoded {
            Ok(value) => {
                if let Some(entry) = &entry {
                    self.served(entry);
                }
                // A cached `None` is an answer as well.
                value
            }
            Err(uncounted) => {
                self.site.counters.unserved.one();
                if let Some(reason) = uncounted {
                    self.missed(reason);
                }
                None
            }
        }
    }

    /// The entry, or the reason for the miss; `None` if the miss has been counted already.
    async fn find(&mut self) -> Result<Entry, Option<MissReason>> {
        if !is_on_tokio() {
            return Err(Some(MissReason::NoRuntime));
        }
        self.may_read().map_err(Some)?;
        let mut budget = self.engine.budget();
        match self.read_beside_too(&mut budget).await {
            Ok(Reading::Value(entry)) => Ok(entry),
            Ok(Reading::Nothing) => Err(Some(self.absence())),
            Ok(Reading::Lease(_) | Reading::Worthless(_)) => Err(Some(MissReason::Leased)),
            // Only the annotated function may serve a value past its end.
            Ok(Reading::Fallback(_)) => Err(Some(MissReason::Stale)),
            Ok(Reading::Base(_) | Reading::Moved) => Err(Some(MissReason::Invalidated)),
            Ok(Reading::Unusable(_)) => Err(None),
            Err(error) => Err(Some(error.kind.into())),
        }
    }

    /// Stores a value over whatever stands under the key, unless a write is in progress.
    ///
    /// The future does not contain the value, which need not be `Sync`: it is serialized here and now.
    pub(crate) fn set<T: CacheValue>(self, value: &T, ttl: Option<Duration>) -> Stored {
        let payload = self.payload(value, None);
        let lifetime = ttl.map_or(Lifetime::About(self.site.ttl), Lifetime::AtMost);
        Box::pin(async move { self.put(&payload?, lifetime, &[]).await })
    }

    /// As [`set`](Self::set), with the options of its site.
    pub(crate) async fn set_by<T: CacheValue>(self, value: &T, policy: &Policy<T>) -> Result<(), CacheError> {
        let payload = self.payload(value, policy.check())?;
        let lifetime = policy.ttl_for(value, &self.site).map_err(|_| CacheError::Policy)?;
        let names = policy.names(value, &self.site).map_err(|_| CacheError::Policy)?;
        let value_tags: Option<Vec<Key>> = names.iter().map(|tag| tag.register(&self.engine.settings.prefix)).collect();
        self.put(&payload, lifetime, &value_tags.ok_or(CacheError::Policy)?).await
    }

    fn payload<T: CacheValue>(&self, value: &T, check: Option<Check<T>>) -> Result<Vec<u8>, CacheError> {
        let max = self.engine.settings.max_value_bytes;
        let payload = encode(value, &self.site).map_err(|_| CacheError::Encode { codec: self.site.codec })?;
        if payload.len() > max {
            return Err(CacheError::TooLarge { bytes: payload.len(), max });
        }
        comes_back(value, &self.site, &payload, check).map_err(|_| CacheError::Encode { codec: self.site.codec })?;
        Ok(payload)
    }

    async fn put(&self, payload: &[u8], lifetime: Lifetime, value_tags: &[Key]) -> Result<(), CacheError> {
        let engine = &self.engine;
        engine.usable()?;
        let stamp = random_id().ok_or(CacheError::NoRandomness)?;
        let mut budget = engine.budget();
        let mut call_stamps = self.stamps(value_tags, lifetime.time(), &mut budget).await?;
        let value_stamps = call_stamps.split_off(self.tags().len());
        let prefix = &engine.settings.prefix;
        let value_tags = value_tags.iter().map(|tag| Box::from(prefix.name_of(tag))).zip(value_stamps).collect();
        let recorded = self.recorded(&call_stamps, value_tags);
        let (register, ttl) = self.register(Some(payload), &recorded, lifetime, stamp, Duration::ZERO);
        let written = register.len() as u64;
        let put = budget.step(engine, |store, within| store.put(Put::new(&self.key, register, ttl, within))).await;
        engine.wrote([&self.key]);
        if !put? {
            return Err(CacheError::Writing);
        }
        self.stored(written);
        Ok(())
    }

    /// The current stamps of the call tags and then of the value tags.
    async fn stamps(&self, value_tags: &[Key], ttl: Duration, budget: &mut Budget) -> Result<Vec<Head>, CacheError> {
        let tags = [self.tags(), value_tags].concat();
        if tags.is_empty() {
            return Ok(Vec::new());
        }
        if tags.len() > MAX_TAGS {
            return Err(CacheError::TooManyTags { max: MAX_TAGS });
        }
        let engine = &self.engine;
        let fresh = Head::value(random_id().ok_or(CacheError::NoRandomness)?);
        let ttl = ttl.saturating_add(self.site.window).saturating_mul(3).max(self.site.tag_time);
        let stamps =
            budget.step(engine, |store, within| gate::tag(store, TagAll::new(&tags, fresh, ttl, within))).await?;
        stamps.ok_or(CacheError::Writing)
    }

    /// Removes whatever stands under the key. Returns whether anything stood there.
    pub(crate) async fn remove(self) -> Result<bool, CacheError> {
        self.engine.usable()?;
        let mut budget = self.engine.budget();
        let removed = budget.step(&self.engine, |store, within| store.remove(Remove::new(&self.key, within))).await;
        self.engine.wrote([&self.key]);
        self.site.invalidated(
            std::slice::from_ref(&self.key),
            if removed.is_ok() { Outcome::Applied } else { Outcome::Failed },
        );
        Ok(removed?)
    }
}
