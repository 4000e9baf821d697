//! Single steps for callers without an attribute, and on the entry of a call: read, write, remove.

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
use crate::store::{Put, Remove, Tag};
use crate::ttl::Lifetime;
use std::time::Duration;

impl Target {
    /// Reads the value; whatever stands in the way is a counted miss.
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
                // A `None` that was cached is an answer, too.
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

    /// The entry, or why there is none if that is still to be counted.
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
            // What is past its end is for the function to serve, if it may.
            Ok(Reading::Fallback(_)) => Err(Some(MissReason::Stale)),
            Ok(Reading::Base(_) | Reading::Moved) => Err(Some(MissReason::Invalidated)),
            Ok(Reading::Unusable(_)) => Err(None),
            Err(error) => Err(Some(error.kind.into())),
        }
    }

    /// Stores a value whatever stands under the key, unless it is being written.
    pub(crate) async fn set<T: CacheValue>(self, value: &T, ttl: Option<Duration>) -> Result<(), CacheError> {
        let payload = self.payload(value, None)?;
        let lifetime = ttl.map_or(Lifetime::About(self.site.ttl), Lifetime::AtMost);
        self.put(&payload, lifetime, &[]).await
    }

    /// As [`set`](Self::set), as its site's options say.
    pub(crate) async fn set_by<T: CacheValue>(self, value: &T, policy: &Policy<T>) -> Result<(), CacheError> {
        let payload = self.payload(value, policy.check())?;
        let lifetime = policy.ttl_for(value, &self.site).map_err(|_| CacheError::Policy)?;
        let names = policy.names(value, &self.site).map_err(|_| CacheError::Policy)?;
        let named: Option<Vec<Key>> = names.iter().map(|tag| tag.register(&self.engine.settings.prefix)).collect();
        self.put(&payload, lifetime, &named.ok_or(CacheError::Policy)?).await
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

    /// `named`: the tags that only the value tells.
    async fn put(&self, payload: &[u8], lifetime: Lifetime, named: &[Key]) -> Result<(), CacheError> {
        let engine = &self.engine;
        engine.usable()?;
        let stamp = random_id().ok_or(CacheError::NoRandomness)?;
        let mut budget = engine.budget();
        let mut told = self.stamps(named, lifetime.time(), &mut budget).await?;
        let stamps = told.split_off(self.tags().len());
        let prefix = &engine.settings.prefix;
        let named = named.iter().map(|tag| Box::from(prefix.name_of(tag))).zip(stamps).collect();
        let recorded = self.recorded(&told, named);
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

    /// The tags as they are now: those that the call tells, and those that only the value does.
    async fn stamps(&self, named: &[Key], ttl: Duration, budget: &mut Budget) -> Result<Vec<Head>, CacheError> {
        let tags = [self.tags(), named].concat();
        if tags.is_empty() {
            return Ok(Vec::new());
        }
        if tags.len() > MAX_TAGS {
            return Err(CacheError::TooManyTags { max: MAX_TAGS });
        }
        let engine = &self.engine;
        let fresh = Head::value(random_id().ok_or(CacheError::NoRandomness)?);
        let ttl = ttl.saturating_add(self.site.window).saturating_mul(3).max(self.site.tag_time);
        let stamps = budget.step(engine, |store, within| gate::tag(store, Tag::new(&tags, fresh, ttl, within))).await?;
        stamps.ok_or(CacheError::Writing)
    }

    /// Removes whatever stands under the key; whether there was anything.
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
