use cached_core::redis_cached;
use std::collections::HashMap;

#[redis_cached(key = "user:<id>", batch = idss)]
async fn find(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[redis_cached(key = "user:<id>", batch = ids)]
async fn nothing() -> HashMap<u64, u64> {
    HashMap::new()
}

fn main() {}
