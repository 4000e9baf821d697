#![allow(unused)]

use cached_core::{redis_cached, redis_invalidate};

#[redis_cached(key = "user:<id>", tags = "user:<idd>")]
async fn slip(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", tags = ["user:<id>", "tenant:<tenant>"])]
async fn unknown(id: u64) -> u64 {
    id
}

#[redis_invalidate(tag = "tenant:<tenant>")]
async fn of_a_write() {}

fn main() {}
