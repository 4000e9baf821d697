use cached_core::redis_cached;
use std::collections::HashMap;

#[redis_cached(key = "user:<id>", batch = ids)]
async fn tail(ids: &[u64]) -> Result<HashMap<u64, u64>, String> {
    ids.len()
}

#[redis_cached(key = "user:<id>", batch = ids)]
async fn hidden(ids: &[u64]) -> HashMap<u64, u64> {
    let _ = id;
    ids.iter().map(|id| (*id, *id)).collect()
}

fn main() {}
