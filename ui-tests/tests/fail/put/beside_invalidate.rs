//! `#[redis_put]` invalidates what listens to its events. The message for anything else says what compiles.

#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate, redis_put};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Book {
    id: u64,
}

#[derive(CacheEvent)]
struct BookChanged {
    id: u64,
}

#[redis_put(key = "book:<id>")]
#[redis_invalidate(tag = "books")]
async fn tag(id: u64) -> u64 {
    id
}

#[redis_invalidate(key = "shelf:<shelf>")]
#[redis_put(key = "book:<id>")]
async fn key(id: u64, shelf: u64) -> u64 {
    id
}

#[redis_put(key = "book:<id>")]
#[redis_invalidate(for other in others { BookChanged { id: *other } })]
async fn items(id: u64, others: &[u64]) -> u64 {
    id
}

#[redis_put(key = "book:<id>")]
#[redis_invalidate(BookChanged { id: ret.id }, mode = "after")]
async fn ret(id: u64) -> Book {
    Book { id }
}

#[redis_put(key = "book:<id>")]
#[redis_invalidate(BookChanged { id: id + 1 }, BookChanged { id })]
async fn events(id: u64) -> u64 {
    id
}

#[redis_put(key = "book:<id>", key = "shelf:<shelf>")]
async fn two_keys(id: u64, shelf: u64) -> u64 {
    id
}

fn main() {}
