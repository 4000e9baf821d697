#![allow(unused)]

use cached_core::{CacheEvent, redis_cached, redis_invalidate, redis_put};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[redis_invalidate(UserUpdated { id })]
#[redis_invalidate(key = "user:<id>")]
async fn twice(id: u64) {}

#[redis_cached(key = "user:<id>")]
#[redis_invalidate(UserUpdated { id })]
async fn cached(id: u64) -> u64 {
    id
}

#[redis_put(key = "user:<id>")]
#[cached_core::redis_cached(key = "user:<id>")]
async fn cached_below(id: u64) -> u64 {
    id
}

#[redis_invalidate(UserUpdated { id })]
#[redis_put(key = "user:<id>")]
async fn put_below(id: u64) -> u64 {
    id
}

#[redis_put(key = "user:<id>")]
#[redis_invalidate(UserUpdated { id })]
async fn put_above(id: u64) -> u64 {
    id
}

#[redis_put(key = "user:<id>")]
#[redis_put(key = "person:<id>")]
async fn put_twice(id: u64) -> u64 {
    id
}

fn main() {}
