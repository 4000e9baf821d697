#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[redis_invalidate(on = UserUpdated { id })]
async fn on(id: u64) {}

#[redis_invalidate(events = [UserUpdated { id }])]
async fn events(id: u64) {}

#[redis_invalidate(invalidate_on = UserUpdated { id })]
async fn invalidate_on(id: u64) {}

#[redis_invalidate(UserUpdated { id }, ttl = "5m")]
async fn ttl(id: u64) {}

#[redis_invalidate(UserUpdated { id }, skip(id))]
async fn skip(id: u64) {}

#[redis_invalidate(tags = ["a"])]
async fn tags(id: u64) {}

#[redis_invalidate(UserUpdated { id }, on_unavailabel = "fail")]
async fn slip(id: u64) {}

fn main() {}
