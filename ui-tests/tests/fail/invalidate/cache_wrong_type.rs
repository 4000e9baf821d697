#![allow(unused)]

use cached_core::redis_invalidate;

const URL: &str = "redis://";

#[redis_invalidate(key = "a", cache = URL)]
async fn write() {}

#[redis_invalidate(key = "a", cache = "redis://")]
async fn text() {}

fn main() {}
