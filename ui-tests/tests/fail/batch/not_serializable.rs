use cached_core::redis_cached;
use std::collections::HashMap;

struct User;

#[redis_cached(key = "user:<id>", batch = ids)]
async fn find(ids: &[u64]) -> Result<HashMap<u64, User>, String> {
    Ok(ids.iter().map(|id| (*id, User)).collect())
}

fn main() {}
