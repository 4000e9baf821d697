#![allow(unused)]

use cached_core::redis_invalidate;

#[redis_invalidate(key = "user:<*>")]
async fn all(id: u64) {}

#[redis_invalidate(key = "user:<idd>")]
async fn unknown(id: u64) {}

#[redis_invalidate(key = "user:{id}")]
async fn format_style(id: u64) {}

#[redis_invalidate(key = "")]
async fn empty(id: u64) {}

#[redis_invalidate(key = ["a", "b"])]
async fn list(id: u64) {}

#[redis_invalidate(key)]
async fn no_value(id: u64) {}

#[redis_invalidate(key = "<T>", key = "<Row>")]
async fn parameter<T>(id: T) {}

fn main() {}
