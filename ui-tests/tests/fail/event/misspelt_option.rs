#![allow(unused)]

use cached_core::{CacheEvent, redis_cached};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[redis_cached(key = "user:<id>", invalidates_on = UserUpdated { id })]
async fn slip(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", on = UserUpdated { id })]
async fn on(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", tag = "user:<id>")]
async fn tag(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", mode = "after", on_unavailable = "fail")]
async fn of_writes(id: u64) -> u64 {
    id
}

fn main() {}
