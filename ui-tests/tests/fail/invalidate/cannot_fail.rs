#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[redis_invalidate(UserUpdated { id }, on_unavailable = "fail")]
async fn nothing(id: u64) {}

#[redis_invalidate(UserUpdated { id }, on_unavailable = "fail")]
async fn value(id: u64) -> u64 {
    id
}

#[redis_invalidate(UserUpdated { id }, on_unavailable = "fail")]
async fn error(id: u64) -> Result<u64, String> {
    Ok(id)
}

fn main() {}
