//! Options of other libraries that need none here.

use cached_core::{redis_cached, redis_invalidate};

#[redis_cached(key = "a:<id>", result = true)]
async fn result(id: u64) -> Result<u64, ()> {
    Ok(id)
}

#[redis_cached(key = "b:<id>", map_error = r#"|e| e.to_string()"#)]
async fn map_error(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[redis_cached(key = "c:<id>", ty = "AsyncRedisCache<u64, u64>", create = "{ .. }")]
async fn ty(id: u64) -> u64 {
    id
}

#[redis_cached(key = "d:<id>", sync_writes = true)]
async fn sync_writes(id: u64) -> u64 {
    id
}

#[redis_cached(key = "e:<id>", namespace = "shop")]
async fn namespace(id: u64) -> u64 {
    id
}

#[redis_cached(key = "f:<id>", ignore(_span))]
async fn ignore(id: u64, _span: u64) -> u64 {
    id
}

#[redis_invalidate(all_entries = true)]
async fn all_entries() {}

#[redis_invalidate(keys = ["user:<id>", "users"])]
async fn keys(id: u64) {
    drop(id);
}

#[redis_invalidate(find_user(id))]
async fn call(id: u64) {
    drop(id);
}

fn main() {}
