#![allow(unused)]

use cached_core::{CacheEvent, redis_cached};

#[derive(CacheEvent)]
struct Renamed {
    name: String,
}

// Written out, an expression is what it is: this one consumes the argument.
#[redis_cached(key = "user:<name>", invalidate_on = Renamed { name: name })]
async fn find(name: String) -> usize {
    name.len()
}

fn main() {}
