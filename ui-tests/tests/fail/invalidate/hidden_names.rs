#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

// The body does not see the names `shape` and `returned` of the expansion; only the attribute sees `ret`.
#[redis_invalidate(UserUpdated { id: *ret }, mode = "after")]
async fn after(id: u64) -> u64 {
    let _ = (shape, ret);
    id
}

#[redis_invalidate(UserUpdated { id: returned })]
async fn bracket(id: u64) {}

fn main() {}
