#![allow(unused)]

use cached_core::{redis_invalidate, redis_put};

#[redis_invalidate(key = "user:<tenant>:*")]
async fn key(tenant: u64) {}

#[redis_invalidate(tag = "tenant:*")]
async fn tag(tenant: u64) {}

#[redis_put(key = "user:*")]
async fn put(id: u64) -> u64 {
    id
}

fn main() {}
