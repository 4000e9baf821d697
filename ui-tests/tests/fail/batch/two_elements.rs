use cached_core::redis_cached;
use std::collections::HashMap;

#[redis_cached(key = "<order>:<item>", batch = ids)]
async fn two(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

// One of these is a typing error.
#[redis_cached(key = "<tenantt>:<id>", batch = ids)]
async fn misspelt(tenant: u64, ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, tenant)).collect()
}

fn main() {}
