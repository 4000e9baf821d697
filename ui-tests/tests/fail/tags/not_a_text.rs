#![allow(unused)]

use cached_core::{redis_cached, redis_invalidate};

#[redis_cached(key = "user:<id>", tags = 5)]
async fn number(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", tags = ["user:<id>", format!("user:{id}")])]
async fn call(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", tags = [|id: &u64| [id.to_string()], |id: &u64| [id.to_string()]])]
async fn two_closures(id: u64) -> u64 {
    id
}

#[redis_invalidate(tag = ["a", "b"])]
async fn list() {}

#[redis_invalidate(tag = 5)]
async fn number_of_a_write() {}

fn main() {}
