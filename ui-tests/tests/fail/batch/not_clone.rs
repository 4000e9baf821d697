use cached_core::redis_cached;
use std::collections::HashMap;

struct Connection;

#[redis_cached(key = "user:<id>", batch = ids, skip(db))]
async fn find(db: Connection, ids: &[u64]) -> HashMap<u64, u64> {
    let _db = db;
    ids.iter().map(|id| (*id, *id)).collect()
}

fn main() {}
