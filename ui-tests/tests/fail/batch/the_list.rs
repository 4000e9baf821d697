use cached_core::redis_cached;
use std::collections::HashMap;

#[redis_cached(key = "user:<user_ids>", batch = user_ids)]
async fn in_the_key(user_ids: &[u64]) -> HashMap<u64, u64> {
    user_ids.iter().map(|id| (*id, *id)).collect()
}

#[redis_cached(key = "user:<id>", batch = ids, skip(ids))]
async fn skipped(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

fn main() {}
