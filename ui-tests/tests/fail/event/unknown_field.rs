#![allow(unused)]

use cached_core::{CacheEvent, redis_cached, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[redis_cached(key = "user:<user>", invalidate_on = UserUpdated { user })]
async fn find(user: u64) -> u64 {
    user
}

#[redis_invalidate(UserUpdated { id: user, name: "x" })]
async fn update(user: u64) {}

fn main() {}
