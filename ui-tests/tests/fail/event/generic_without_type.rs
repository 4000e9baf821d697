#![allow(unused)]

use cached_core::{CacheEvent, redis_cached, redis_invalidate};

#[derive(CacheEvent)]
struct Moved<T> {
    from: T,
}

#[redis_cached(key = "user:<from>", invalidate_on = Moved { from })]
async fn find(from: u64) -> u64 {
    from
}

#[redis_invalidate(Moved::<T> { from: from.clone() })]
async fn of_parameter<T: cached_core::KeySegment + Clone>(from: T) {}

fn main() {}
