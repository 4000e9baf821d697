#![allow(unused)]

use cached_core::redis_invalidate;

#[redis_invalidate]
async fn bare(id: u64) {}

#[redis_invalidate(mode = "after")]
async fn only_mode(id: u64) {}

#[redis_invalidate(evnt = 5)]
async fn misspelt(id: u64) {}

fn main() {}
