#![allow(unused)]

use cached_core::redis_cached;

#[redis_cached(key = "a:<id>", tags = |id: &u64| id.to_string())]
async fn one(id: u64) -> u64 {
    id
}

#[redis_cached(key = "b:<id>", tags = |id: &u64| [*id])]
async fn numbers(id: u64) -> u64 {
    id
}

#[redis_cached(key = "c:<id>", tags = |id: u64| [id.to_string()])]
async fn no_reference(id: u64) -> u64 {
    id
}

fn main() {}
