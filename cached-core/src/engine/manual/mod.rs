//! Single steps on one entry: read, store, remove. They load nothing.

mod peek;
mod prime;

use super::budget::Budget;
use super::call::decode;
use super::health::is_on_tokio;
use super::policy::{Policy, comes_back, encode};
use super::read::Reading;
use super::target::Target;
use crate::engine::gate;
use crate::envelope::tags::MAX_TAGS;
use crate::envelope::{Content, Entry, Head};
use crate::error::{CacheError, StoreError};
use crate::invalidation::Outcome;
use crate::key::Key;
use crate::lease::random_id;
use crate::near::keep::{Keep, Unkept};
use crate::near::slot::Slot;
use crate::outcome::{CacheValue, OptionValue};
use crate::reason::MissReason;
use crate::store::{Put, Remove, TagAll};
use crate::ttl::Lifetime;
use std::time::Duration;

/// A value that is ready to be stored.
#[derive(Debug)]
pub(crate) struct Prepared {
    payload: Vec<u8>,
    lifetime: Lifetime,
    value_tags: Vec<Key>,
}

impl Target {
    /// Reads the value. Any reason for not having one is counted as a miss. With `K`, it asks the near cache first and
    /// keeps there what it finds, if `is_kept`.
    pub(crate) async fn get<T: CacheValue, K: Keep<T>>(mut self, is_kept: bool) -> Option<T> {
        if is_kept && let Some(value) = self.near::<OptionValue<T>, K>() {
            return value;
        }
        let uncounted = match self.find(is_kept).await {
            // A stored error is an answer that is no value, as a cached `None` is.
            Ok((entry, _)) if entry.content().is_error() => {
                self.served(&entry);
                return None;
            }
            Ok((entry, slot)) => match decode::<OptionValue<T>, K, Unkept>(&self, &entry, slot) {
                // A cached `None` is an answer as well.
                Ok(value) => return value,
                Err(reason) => Some(reason),
            },
            Err(uncounted) => uncounted,
        };
        if let Some(reason) = uncounted {
            self.missed(reason);
        }
        self.unserved();
        None
    }

    /// The entry, or the reason for the miss; `None` if the miss has been counted already.
    async fn find(&mut self, is_kept: bool) -> Result<(Entry, Option<Box<Slot>>), Option<MissReason>> {
        if !is_on_tokio() {
            return Err(Some(MissReason::NoRuntime));
        }
        self.may_read().map_err(Some)?;
        let mut budget = self.engine.budget();
        let (reading, slot) = self.read_where_it_stands(&mut budget, is_kept).await;
        match reading {
            Ok(Reading::Value(entry)) => Ok((entry, slot)),
            Ok(Reading::Nothing) => Err(Some(self.absence())),
            Ok(Reading::Lease(_) | Reading::Worthless(_)) => Err(Some(MissReason::Leased)),
            // A value that is served only if a load fails.
            Ok(Reading::Fallback(_)) => Err(Some(MissReason::Stale)),
            Ok(Reading::Base(_) | Reading::Moved) => Err(Some(MissReason::Invalidated)),
            Ok(Reading::Unusable(_)) => Err(None),
            Err(error) => Err(Some(error.kind.into())),
        }
    }

    async fn read_where_it_stands(
        &mut self,
        budget: &mut Budget,
        is_kept: bool,
    ) -> (Result<Reading, StoreError>, Option<Box<Slot>>) {
        if !is_kept || self.site.local.is_none() {
            return (self.read_beside_too(budget).await, None);
        }
        match self.read_to_keep(budget).await {
            (Ok(Reading::Base(base)), _) => {
                self.goes_beside(base);
                self.read_to_keep(budget).await
            }
            read => read,
        }
    }

    /// Encodes a value as the policy says.
    pub(crate) fn prepare<T: CacheValue>(&self, value: &T, policy: &Policy<T>) -> Result<Prepared, CacheError> {
        let (site, max) = (&self.site, self.engine.settings.max_value_bytes);
        let payload = encode(value, site).map_err(|_| CacheError::Encode { codec: site.codec })?;
        if payload.len() > max {
            return Err(CacheError::TooLarge { bytes: payload.len(), max });
        }
        comes_back(value, site, &payload, policy.check()).map_err(|_| CacheError::Encode { codec: site.codec })?;
        let lifetime = policy.ttl_for(value, site).map_err(|_| CacheError::Policy)?;
        let names = policy.names(value, site).map_err(|_| CacheError::Policy)?;
        let value_tags: Option<Vec<Key>> = names.iter().map(|tag| tag.register(&self.engine.settings.prefix)).collect();
        Ok(Prepared { payload, lifetime, value_tags: value_tags.ok_or(CacheError::Policy)? })
    }

    /// Stores a value over whatever stands under the key, unless a write is in progress.
    pub(crate) async fn put(self, prepared: Prepared) -> Result<(), CacheError> {
        let engine = &self.engine;
        engine.usable_to_store()?;
        let Prepared { payload, lifetime, value_tags } = prepared;
        let stamp = random_id().ok_or(CacheError::NoRandomness)?;
        let mut budget = engine.budget();
        let stamps = match self.tagging(&value_tags, lifetime)? {
            Some(tagging) => budget.step(engine, |store, within| gate::tag(store, tagging.request(within))).await?,
            None => Some(Vec::new()),
        };
        let stamps = stamps.ok_or(CacheError::Writing)?;
        let recorded = self.recorded_by(stamps, &value_tags);
        let (register, ttl) = self.register(Content::Value(&payload), &recorded, lifetime, stamp, Duration::ZERO);
        let written = register.len() as u64;
        let put = budget.step(engine, |store, within| store.put(Put::new(&self.key, register, ttl, within))).await;
        engine.wrote([&self.key]);
        if !put? {
            return Err(CacheError::Writing);
        }
        self.stored(written);
        Ok(())
    }

    /// What TAG asks of the call tags and then of the value tags; `None` if there are none.
    fn tagging(&self, value_tags: &[Key], lifetime: Lifetime) -> Result<Option<Tagging>, CacheError> {
        let tags = [self.tags(), value_tags].concat();
        if tags.is_empty() {
            return Ok(None);
        }
        if tags.len() > MAX_TAGS {
            return Err(CacheError::TooManyTags { max: MAX_TAGS });
        }
        let fresh = Head::value(random_id().ok_or(CacheError::NoRandomness)?);
        let ttl = lifetime.time().saturating_add(self.site.window).saturating_mul(3).max(self.site.tag_time);
        Ok(Some(Tagging { tags, fresh, ttl }))
    }

    /// What an entry records, by the stamps of the call tags and then of the value tags.
    fn recorded_by(&self, mut call_stamps: Vec<Head>, value_tags: &[Key]) -> crate::envelope::tags::TagRecord {
        let value_stamps = call_stamps.split_off(self.tags().len().min(call_stamps.len()));
        let prefix = &self.engine.settings.prefix;
        let value_tags = value_tags.iter().map(|tag| Box::from(prefix.name_of(tag))).zip(value_stamps).collect();
        self.recorded(&call_stamps, value_tags)
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

/// A TAG to be sent.
#[derive(Debug)]
struct Tagging {
    tags: Vec<Key>,
    fresh: Head,
    ttl: Duration,
}

impl Tagging {
    fn request(&self, within: Duration) -> TagAll<'_> {
        TagAll::new(&self.tags, self.fresh, self.ttl, within)
    }
}
