//! The expansion is silent where everything is denied. Also a test target, so that clippy sees it.

#![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery, missing_docs, unreachable_pub, single_use_lifetimes)]
#![deny(trivial_casts, unused_qualifications, unused_lifetimes, let_underscore_drop, missing_debug_implementations)]
#![forbid(unsafe_code)]

use std::time::Duration;

use cached_core::{Cache, CacheKey, redis_cached};

/// A key.
#[derive(Debug, Clone, Copy, CacheKey, serde::Serialize)]
pub enum Scope {
    /// All.
    All,
    /// One.
    One(u64),
}

/// A service.
#[derive(Debug)]
pub struct Service {
    cache: Cache,
    tenant: u64,
}

impl Service {
    /// All options.
    ///
    /// # Errors
    ///
    /// Never.
    #[redis_cached(
        key = "user:<self.tenant>:<scope>:<name:hash>:<*>",
        ttl = Duration::from_secs(id),
        jitter = 0.2,
        none_ttl = "30s",
        cache_if = |value: &String| !value.is_empty(),
        version = 2,
        codec = "json",
        skip(id),
        cache = self.cache
    )]
    pub async fn find(&self, id: u64, scope: Scope, name: &str) -> Result<Option<String>, String> {
        std::future::ready(()).await;
        Ok(Some(format!("{id} {scope:?} {name} {}", self.tenant)))
    }

    /// Panics.
    #[redis_cached]
    pub async fn diverges(&self, id: u64) -> u64 {
        unreachable!("{id}")
    }
}

/// Plain.
#[redis_cached]
pub async fn plain(id: u64) -> u64 {
    std::future::ready(id).await
}

/// What is used only in the key.
#[redis_cached]
pub async fn underscored(_id: u64) -> u64 {
    std::future::ready(1).await
}

/// What is used only in the key, by name.
#[redis_cached(key = "f:<_id>:<_name:hash>")]
pub async fn underscored_in_key(_id: u64, _name: &str) -> u64 {
    std::future::ready(1).await
}

/// A field and a cache.
#[redis_cached(key = "f:<pair._left>", skip(cache), cache = cache)]
pub async fn underscored_field(pair: &Pair, cache: &Cache) -> u64 {
    std::future::ready(1).await
}

/// Two.
#[derive(Debug)]
pub struct Pair {
    _left: u64,
}

fn main() {}
