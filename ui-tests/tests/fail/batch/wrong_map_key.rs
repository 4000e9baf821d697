use cached_core::redis_cached;
use std::collections::HashMap;

#[redis_cached(key = "user:<id>", batch = ids)]
async fn find(ids: &[u64]) -> Result<HashMap<String, u64>, String> {
    Ok(ids.iter().map(|id| (id.to_string(), *id)).collect())
}

fn main() {}
