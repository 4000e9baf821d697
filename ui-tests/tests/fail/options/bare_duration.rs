//! Times to live as they are written elsewhere.

use cached_core::redis_cached;

#[redis_cached(key = "a:<id>", ttl = medium)]
async fn class(id: u64) -> u64 {
    id
}

#[redis_cached(key = "b:<id>", ttl = 5m)]
async fn without_quotes(id: u64) -> u64 {
    id
}

#[redis_cached(key = "c:<id>", 1h30m)]
async fn without_name(id: u64) -> u64 {
    id
}

#[redis_cached(key = "d:<id>", ttl = "00:05:00")]
async fn clock(id: u64) -> u64 {
    id
}

fn main() {}
