#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[redis_invalidate(UserUpdated { id }, mode = "before")]
async fn unknown(id: u64) {}

#[redis_invalidate(UserUpdated { id }, mode = "brackets")]
async fn slip(id: u64) {}

#[redis_invalidate(UserUpdated { id }, mode = after)]
async fn no_text(id: u64) {}

#[redis_invalidate(UserUpdated { id }, on_unavailable = "failed")]
async fn unavailable(id: u64) -> Result<(), cached_core::CacheError> {
    Ok(())
}

#[redis_invalidate(UserUpdated { id }, on_unavailable = "fail", mode = "after")]
async fn too_late(id: u64) -> Result<(), cached_core::CacheError> {
    Ok(())
}

#[redis_invalidate(UserUpdated { id }, mode = "after", mode = "bracket")]
async fn twice(id: u64) {}

fn main() {}
