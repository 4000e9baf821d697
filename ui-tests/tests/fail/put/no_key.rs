#![allow(unused)]

use cached_core::{CacheEvent, redis_put};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[redis_put]
async fn bare(id: u64) -> u64 {
    id
}

#[redis_put(UserUpdated { id }, ttl = "5m")]
async fn no_key(id: u64) -> u64 {
    id
}

// The key is misspelt or has no name, and so is not missing.
#[redis_put(kye = "user:<id>")]
async fn misspelt(id: u64) -> u64 {
    id
}

#[redis_put("user:<id>")]
async fn without_name(id: u64) -> u64 {
    id
}

fn main() {}
