use cached_core::redis_cached;
use std::collections::HashMap;

#[redis_cached(key = "users", batch = ids)]
async fn literal(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[redis_cached(key = "<tenant>:users", batch = ids)]
async fn others(tenant: u64, ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, tenant)).collect()
}

#[redis_cached(key = "user:<user_id>:<*>", batch = user_ids)]
async fn all(user_ids: &[u64]) -> HashMap<u64, u64> {
    user_ids.iter().map(|id| (*id, *id)).collect()
}

#[redis_cached(batch = ids)]
async fn no_key(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

fn main() {}
