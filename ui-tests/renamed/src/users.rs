//! Far from the root, nothing says where the library is.

use caching::{CacheEvent, CacheKey, redis_cached, redis_invalidate, redis_put};

/// A key.
#[derive(Debug, Clone, CacheKey)]
pub enum Scope<T> {
    /// All.
    All,
    /// One.
    One(T),
    /// What has a distance.
    Near(#[cache_key(hash)] f64),
}

/// An event.
#[derive(Debug, CacheEvent)]
pub struct Updated {
    /// Of what.
    pub id: u64,
}

/// A function that reads.
///
/// # Errors
/// Never.
#[redis_cached(key = "user:<id>:<scope>", invalidate_on = Updated { id }, tags = "all")]
pub async fn find(id: u64, scope: Scope<u64>) -> Result<Option<u64>, String> {
    Ok(matches!(scope, Scope::All).then_some(id))
}

/// A function that reads many.
#[redis_cached(key = "user:<id>", batch = ids)]
pub async fn find_all(ids: &[u64]) -> Vec<Option<u64>> {
    ids.iter().copied().map(Some).collect()
}

/// A write.
#[redis_invalidate(Updated { id }, tag = "all")]
pub async fn update(id: u64) {
    let _ = id;
}

/// A put.
#[redis_put(Updated { id }, key = "user:<id>")]
pub async fn rename(id: u64) -> u64 {
    id
}
