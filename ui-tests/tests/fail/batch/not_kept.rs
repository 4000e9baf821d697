use cached_core::redis_cached;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

#[derive(Serialize, Deserialize)]
struct User(u64);

#[redis_cached(key = "user:<id>", batch = ids, local = "30s")]
async fn find(ids: &[u64]) -> Result<HashMap<u64, User>, String> {
    Ok(ids.iter().map(|id| (*id, User(*id))).collect())
}

fn main() {}
