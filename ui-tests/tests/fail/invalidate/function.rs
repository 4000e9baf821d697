#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[redis_invalidate(UserUpdated { id })]
fn not_async(id: u64) {}

#[redis_invalidate(UserUpdated { id })]
const fn constant(id: u64) {}

#[redis_invalidate(UserUpdated { id: 1 })]
struct NoFunction;

#[redis_invalidate(UserUpdated { id: 1 })]
impl NoFunction {}

trait Users {
    #[redis_invalidate(UserUpdated { id })]
    async fn update(&self, id: u64);
}

#[redis_invalidate(UserUpdated { id })]
async fn endless(id: u64) -> ! {
    loop {
        std::future::ready(id).await;
    }
}

fn main() {}
