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

fn main() {}
