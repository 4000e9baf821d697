use cached_core::redis_cached;
use std::collections::HashMap;

#[redis_cached(key = "user:<id>", batch = "ids")]
async fn text(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[redis_cached(key = "user:<id>", batch)]
async fn bare(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

fn main() {}
