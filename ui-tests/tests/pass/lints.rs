//! The expansion causes no warnings where all lints are denied. Also a test target, so that clippy checks it.

#![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery, missing_docs, unreachable_pub, single_use_lifetimes)]
#![deny(rust_2018_idioms)]
#![deny(trivial_casts, unused_qualifications, unused_lifetimes, let_underscore_drop, missing_debug_implementations)]
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::time::Duration;

use cached_core::{Cache, CacheError, CacheEvent, CacheKey, redis_cached, redis_invalidate, redis_put};

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

/// Many.
///
/// # Errors
///
/// Never.
#[redis_cached(key = "many:<id>:<lang>", batch = ids)]
pub async fn many(ids: &[u64], lang: &str) -> Result<HashMap<u64, String>, String> {
    std::future::ready(()).await;
    Ok(ids.iter().map(|id| (*id, lang.to_owned())).collect())
}

/// Many, in this process too, for all that a batch can be.
#[redis_cached(
    key = "every:<id>:<lang>",
    batch = ids,
    local = "30s",
    ttl = |value: &u64| Duration::from_secs(*value),
    none_ttl = "off",
    cache_if = |value: &u64| *value > 0,
    invalidate_on = [Updated { id, scope: Scope::One(*id) }, Reloaded],
    tags = ["many:<id>", |value: &u64| [value.to_string()]],
    skip(cache),
    cache = cache
)]
pub async fn every_option_of_many(cache: &Cache, mut ids: Vec<u64>, lang: String) -> Vec<Option<u64>> {
    std::future::ready(()).await;
    ids.push(lang.len() as u64);
    ids.pop();
    ids.into_iter().map(Some).collect()
}

impl Service {
    /// Many, of a service.
    #[redis_cached(key = "many:<self.tenant>:<_id>", batch = _ids, cache = self.cache)]
    pub async fn many(&self, _ids: &[u64]) -> HashMap<u64, u64> {
        std::future::ready(HashMap::from([(self.tenant, 1)])).await
    }
}

/// A value past its end, and loads that are tasks.
///
/// # Errors
///
/// Never.
#[redis_cached(
    key = "fresh:<id>:<_name>",
    stale_while_revalidate = "1m",
    stale_if_error = "1h",
    refresh_ahead = 1.5,
    refresh = "background",
    spawn,
    load_timeout = "1s",
    local = "5s",
    on_gap = "serve",
    tags = |value: &String, id| [format!("{value}{id}")]
)]
pub async fn fresh(id: u64, _name: &str) -> Result<Option<String>, String> {
    std::future::ready(Ok(Some(id.to_string()))).await
}

/// A value that this process keeps.
#[redis_cached(key = "near:<id>", local = "5s", codec = "bytes")]
pub async fn near(id: u64) -> Vec<u8> {
    std::future::ready(id.to_le_bytes().to_vec()).await
}

/// The entries of calls.
///
/// # Errors
///
/// If there are none.
pub fn asked(ids: &[u64]) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
    let entry = cached_core::entry!(plain(1))?;
    let entries = cached_core::entries!(many(ids, "en"))?;
    Ok(entry.key().len() + entries.len())
}

/// An argument that only the key uses.
#[redis_cached]
pub async fn underscored(_id: u64) -> u64 {
    std::future::ready(1).await
}

/// Arguments that only the key uses, by name.
#[redis_cached(key = "f:<_id>:<_name:hash>")]
pub async fn underscored_in_key(_id: u64, _name: &str) -> u64 {
    std::future::ready(1).await
}

/// A field and a cache.
#[redis_cached(key = "f:<pair._left>", skip(pair, cache), cache = cache)]
pub async fn underscored_field(pair: &Pair, cache: &Cache) -> u64 {
    std::future::ready(1).await
}

/// A struct with fields.
#[derive(Debug)]
pub struct Pair {
    _left: u64,
}

/// An event.
#[derive(Debug, Clone, Copy, CacheEvent)]
pub struct Updated {
    /// Of what.
    pub id: u64,
    /// Why.
    pub scope: Scope,
}

/// An event that borrows.
#[derive(Debug, CacheEvent)]
pub struct Renamed<'a> {
    /// To what.
    pub name: &'a str,
}

/// An event with a field that borrows and one that does not.
#[derive(Debug, CacheEvent)]
pub struct Both<'a> {
    /// Of what.
    pub id: u64,
    /// To what.
    pub name: &'a str,
}

/// An event without fields.
#[derive(Debug, CacheEvent)]
pub struct Reloaded;

/// A function that listens.
#[redis_cached(
    key = "g:<id>",
    skip(_name),
    invalidate_on = [Updated { id, scope: Scope::One(id) }, Renamed { name: _name }, Renamed { .. }, Reloaded],
    tags = ["tenant:<id>", "<_name>", |value: &u64| [value.to_string()]]
)]
pub async fn listens(id: u64, _name: &str) -> u64 {
    std::future::ready(id).await
}

impl Service {
    /// A bracket with everything.
    ///
    /// # Errors
    ///
    /// Never.
    #[redis_invalidate(
        Updated { id, scope },
        Renamed { name: _name },
        Reloaded,
        key = "user:<id>:<_name:hash>",
        tag = "tenant:<self.tenant>",
        on_unavailable = "fail",
        cache = self.cache
    )]
    pub async fn write(&self, id: u64, scope: Scope, _name: &str) -> Result<u64, CacheError> {
        std::future::ready(()).await;
        Ok(id)
    }

    /// A write that uses the returned value.
    ///
    /// # Errors
    ///
    /// Never.
    #[redis_invalidate(
        Updated { id: *ret, scope },
        Both { id: *ret, name: _name },
        Renamed { name: _name },
        key = "user:<ret>:<_name>:<_name:hash>",
        tag = "all",
        mode = "after"
    )]
    pub async fn write_after(&self, scope: Scope, _name: &str) -> Result<u64, String> {
        std::future::ready(()).await;
        Ok(self.tenant)
    }

    /// A put with everything.
    ///
    /// # Errors
    ///
    /// Never.
    #[redis_put(
        Updated { id, scope },
        Renamed { name: _name },
        key = "user:<id>:<_name>",
        ttl = Duration::from_secs(id),
        tags = ["tenant:<self.tenant>", |value: &String| [value.clone()]],
        invalidate_on = Updated { .. },
        on_unavailable = "fail",
        cache = self.cache
    )]
    pub async fn put(&self, id: u64, scope: Scope, _name: &str) -> Result<Option<String>, CacheError> {
        std::future::ready(()).await;
        Ok(Some(id.to_string()))
    }
}

/// Nothing.
#[redis_invalidate(Reloaded)]
pub async fn returns_nothing() {
    std::future::ready(()).await;
}

/// Nothing, with `mode = "after"`.
#[redis_invalidate(Reloaded, mode = "after")]
pub async fn returns_nothing_after(id: u64) {
    std::future::ready(id).await;
}

/// Panics.
#[redis_invalidate(Reloaded)]
pub async fn panics(id: u64) -> u64 {
    unreachable!("{id}")
}

/// Plain.
#[redis_put(key = "h:<id>")]
pub async fn plain_put(id: u64) -> u64 {
    std::future::ready(id).await
}

fn main() {}
