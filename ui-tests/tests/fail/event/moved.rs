#![allow(unused)]

use cached_core::{CacheEvent, redis_cached};

#[derive(CacheEvent)]
struct Renamed {
    name: String,
}

// A field with a colon is evaluated as it is written: this one consumes the argument.
#[redis_cached(key = "user:<name>", invalidate_on = Renamed { name: name })]
async fn find(name: String) -> usize {
    name.len()
}

fn main() {}
