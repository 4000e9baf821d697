use cached_core::redis_cached;
use std::collections::HashMap;

#[redis_cached(key = "user:<id>", batch = ids)]
async fn one(ids: u64) -> HashMap<u64, u64> {
    HashMap::from([(ids, ids)])
}

fn main() {}
