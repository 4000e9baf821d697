#![allow(unused)]

use cached_core::CacheEvent;

#[derive(CacheEvent)]
enum Change {
    Updated { id: u64 },
    Deleted,
}

#[derive(CacheEvent)]
pub enum Never {}

fn main() {}
