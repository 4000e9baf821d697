#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

struct Page {
    size: u64,
}

#[redis_invalidate(for user in id { UserUpdated { id: user } })]
async fn number(id: u64) {}

#[redis_invalidate(for user in page { UserUpdated { id: user } })]
async fn reference(page: &Page) {}

#[redis_invalidate(for user in page.size { UserUpdated { id: user } })]
async fn field(page: Page) {}

#[redis_invalidate(for size in ret { UserUpdated { id: size } }, mode = "after")]
async fn returned() -> Page {
    Page { size: 1 }
}

fn main() {}
