//! Functions that cannot store errors.

use cached_core::{redis_cached, redis_invalidate, redis_put};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

#[derive(Debug, Serialize, Deserialize)]
struct NotFound;

#[redis_cached(key = "batch:<id>", batch = ids, error_if = |_: &NotFound| true, error_ttl = "30s")]
async fn batch(ids: &[u64]) -> Result<HashMap<u64, u64>, NotFound> {
    Ok(ids.iter().map(|id| (*id, *id)).collect())
}

#[redis_put(key = "put:<id>", error_if = |_: &NotFound| true, error_ttl = "30s")]
async fn put(id: u64) -> Result<u64, NotFound> {
    Ok(id)
}

#[redis_invalidate(key = "put:<id>", error_if = |_: &NotFound| true, error_ttl = "30s")]
async fn invalidate(id: u64) -> Result<(), NotFound> {
    Ok(())
}

fn main() {}
