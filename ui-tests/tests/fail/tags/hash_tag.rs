#![allow(unused)]

use cached_core::redis_cached;

#[redis_cached(key = "user:<id>", tags = "{users}")]
async fn hash_tag(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", tags = ["user:{id}"])]
async fn format_style(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", tags = "user:<*>")]
async fn all(id: u64) -> u64 {
    id
}

fn main() {}
