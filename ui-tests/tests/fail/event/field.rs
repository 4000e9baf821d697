#![allow(unused)]

use cached_core::{CacheEvent, redis_cached, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[derive(CacheEvent)]
struct Moved<T> {
    from: T,
}

struct User {
    id: u64,
}

#[redis_invalidate(UserUpdated { user.id })]
async fn without_name(user: &User) {}

#[redis_cached(key = "user:<user.id>", skip(user), invalidate_on = [UserUpdated { user.id }])]
async fn in_a_list(user: &User) -> u64 {
    user.id
}

#[redis_invalidate(UserUpdated { "id" })]
async fn text(user: &User) {}

#[redis_invalidate(Moved<u64> { from })]
async fn generic(from: u64) {}

#[redis_invalidate(UserUpdated { id = user.id })]
async fn equals(user: &User) {}

#[redis_invalidate(UserUpdated { id.to_owned() })]
async fn conversion(id: &u64) {}

fn main() {}
