use cached_core::{redis_cached, redis_put};
use std::collections::HashMap;

#[redis_cached(key = "a:<id>", codec = "bytes")]
async fn text(id: u64) -> Result<String, u8> {
    Ok(id.to_string())
}

#[redis_put(key = "b:<id>", codec = "bytes")]
async fn put(id: u64) -> Option<Vec<u16>> {
    Some(vec![id as u16])
}

#[redis_cached(key = "c:<id>", codec = "bytes", batch = ids)]
async fn batch(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

fn main() {}
