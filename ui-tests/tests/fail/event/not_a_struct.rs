#![allow(unused)]

use cached_core::{CacheEvent, redis_cached, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[redis_cached(key = "user:<id>", invalidate_on = UserUpdated(id))]
async fn call(id: u64) -> u64 {
    id
}

#[redis_invalidate(UserUpdated(user.0))]
async fn call_of_expression(user: (u64,)) {}

#[redis_invalidate(UserUpdated())]
async fn empty_call(id: u64) {}

#[redis_cached(key = "user:<id>", invalidate_on = "UserUpdated")]
async fn text(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", invalidate_on = "user:<id>")]
async fn template(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", invalidate_on = |id| id)]
async fn closure(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", invalidate_on = [])]
async fn none(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", invalidate_on = (UserUpdated { id }, UserUpdated { .. }))]
async fn tuple(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", invalidate_on)]
async fn no_value(id: u64) -> u64 {
    id
}

#[redis_invalidate([UserUpdated { id }, UserUpdated { id: 1 }])]
async fn list(id: u64) {}

fn main() {}
