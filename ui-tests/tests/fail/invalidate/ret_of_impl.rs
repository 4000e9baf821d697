#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[redis_invalidate(UserUpdated { id: ret.count() as u64 }, mode = "after")]
async fn find() -> Result<impl Iterator<Item = u64> + Clone, String> {
    Ok(0..1)
}

fn main() {}
