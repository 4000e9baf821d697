#![allow(unused)]

use cached_core::{redis_cached, redis_invalidate};

#[redis_cached(key = "user:<id>", invalidate_on = UserUpdated { id })]
async fn find(id: u64) -> u64 {
    id
}

#[redis_invalidate(crate::events::Reloaded)]
async fn reload() {}

fn main() {}
