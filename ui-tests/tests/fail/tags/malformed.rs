#![allow(unused)]

use cached_core::{redis_cached, redis_invalidate};

#[redis_cached(key = "user:<id>", tags = "")]
async fn empty(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>:<lang>", tags = "user:<id><lang>")]
async fn no_separator(id: u64, lang: &str) -> String {
    lang.to_owned()
}

#[redis_cached(key = "user:<id>", tags = ["user:<id", "user\n"])]
async fn unbalanced(id: u64) -> u64 {
    id
}

#[redis_invalidate(tag = "user:<id>>")]
async fn of_a_write(id: u64) {}

fn main() {}
