#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[redis_invalidate("user:<id>")]
async fn text(id: u64) {}

#[redis_invalidate(60, UserUpdated { id })]
async fn number(id: u64) {}

#[redis_invalidate(UserUpdated { id } key = "user:<id>")]
async fn no_comma(id: u64) {}

#[redis_invalidate(UserUpdated { id: })]
async fn unfinished(id: u64) {}

fn main() {}
