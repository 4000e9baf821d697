//! An argument of type `&str`, and a field that owns its text: rustc says what to write, where it compiles.

#![allow(unused)]

use cached_core::{CacheEvent, redis_cached, redis_invalidate};

#[derive(CacheEvent)]
struct ShelfChanged {
    shelf: String,
}

#[derive(CacheEvent)]
struct Placed {
    shelf: String,
    book: u64,
}

#[redis_cached(key = "shelf:<shelf>", invalidate_on = ShelfChanged { shelf })]
async fn books(shelf: &str) -> u64 {
    shelf.len() as u64
}

#[redis_invalidate(ShelfChanged { shelf })]
async fn clear(shelf: &str) {}

#[redis_invalidate(Placed { shelf, book: *ret }, mode = "after")]
async fn place(shelf: &str) -> u64 {
    1
}

#[redis_invalidate(for shelf in shelves { ShelfChanged { shelf } })]
async fn items(shelves: &[&str]) {}

#[redis_invalidate(Placed { shelf: shelf.len(), book: *ret }, mode = "after")]
async fn of_another_type(shelf: &str) -> u64 {
    1
}

fn main() {}
