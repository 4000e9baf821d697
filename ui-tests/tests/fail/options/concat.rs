#![allow(unused)]

use cached_core::{redis_cached, redis_invalidate};

const TABLE: &str = "user";

#[redis_cached(key = concat!(TABLE, ":<id>"))]
async fn constant(id: u64) -> u64 {
    id
}

#[redis_cached(key = concat!("user", ":<uid>"))]
async fn misspelt(id: u64) -> u64 {
    id
}

#[redis_invalidate(tag = concat!("user", stringify!(a::b)))]
async fn several_words() {}

fn main() {}
