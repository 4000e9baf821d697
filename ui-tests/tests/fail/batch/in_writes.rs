#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate, redis_put};

#[redis_put(key = "user:<id>", batch = ids)]
async fn put(id: u64, ids: &[u64]) -> u64 {
    id
}

#[redis_invalidate(key = "user:<id>", batch = ids)]
async fn invalidate(id: u64, ids: &[u64]) {}

fn main() {}
