use cached_core::{CacheEvent, redis_invalidate, redis_put};

#[derive(CacheEvent)]
struct Changed;

#[redis_put(key = "a:<id>", stale_while_revalidate = "5m")]
async fn put(id: u64) -> u64 {
    id
}

#[redis_invalidate(Changed, spawn)]
async fn invalidate() {}

fn main() {}
