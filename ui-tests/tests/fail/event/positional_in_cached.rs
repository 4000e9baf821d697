#![allow(unused)]

use cached_core::{CacheEvent, redis_cached};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[derive(CacheEvent)]
struct Reloaded;

#[redis_cached(key = "user:<id>", UserUpdated { id })]
async fn find(id: u64) -> u64 {
    id
}

#[redis_cached(Reloaded, key = "user:<id>")]
async fn unit(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", invalidate_on = UserUpdated { id }, Reloaded)]
async fn no_brackets(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", invalidate_on = UserUpdated { id }, invalidate_on = Reloaded)]
async fn twice(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", tags = "user:<id>", tags = "users")]
async fn tags_twice(id: u64) -> u64 {
    id
}

fn main() {}
