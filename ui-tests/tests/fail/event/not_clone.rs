#![allow(unused)]

use cached_core::{CacheEvent, redis_cached};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[derive(CacheEvent)]
struct Of {
    id: Id,
}

#[derive(cached_core::CacheKey)]
struct Id(u64);

#[redis_cached(key = "user:<id>", invalidate_on = Of { id })]
async fn find(id: Id) -> u64 {
    id.0
}

fn main() {}
