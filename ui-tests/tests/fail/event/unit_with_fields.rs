#![allow(unused)]

use cached_core::{CacheEvent, redis_cached, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[derive(CacheEvent)]
struct Reloaded;

#[redis_cached(key = "user:<id>", invalidate_on = UserUpdated)]
async fn find(id: u64) -> u64 {
    id
}

#[redis_invalidate(UserUpdated)]
async fn update(id: u64) {}

#[redis_invalidate(Reloaded { id })]
async fn fields_of_unit(id: u64) {}

fn main() {}
