#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

// What the expansion calls `shape` and `returned` is not there for the body, and `ret` only for the attribute.
#[redis_invalidate(UserUpdated { id: *ret }, mode = "after")]
async fn after(id: u64) -> u64 {
    let _ = (shape, ret);
    id
}

#[redis_invalidate(UserUpdated { id: returned })]
async fn bracket(id: u64) {}

fn main() {}
