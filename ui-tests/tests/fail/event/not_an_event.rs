#![allow(unused)]

use cached_core::{redis_cached, redis_invalidate};

struct UserUpdated {
    id: u64,
}

struct Reloaded;

#[redis_cached(key = "user:<id>", invalidate_on = UserUpdated { id })]
async fn find(id: u64) -> u64 {
    id
}

#[redis_cached(key = "all", invalidate_on = [Reloaded])]
async fn all() -> u64 {
    1
}

#[redis_cached(key = "any", invalidate_on = UserUpdated { .. })]
async fn any() -> u64 {
    1
}

#[redis_invalidate(UserUpdated { id })]
async fn update(id: u64) {}

#[redis_invalidate(UserUpdated { id: *ret }, mode = "after")]
async fn after() -> u64 {
    1
}

fn main() {}
