#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

struct User {
    id: u64,
}

#[redis_invalidate(UserUpdated { id: ret.uid }, mode = "after")]
async fn unknown_field() -> Result<User, String> {
    Ok(User { id: 1 })
}

#[redis_invalidate(key = "user:<ret.uid>", tag = "user:<ret>", mode = "after")]
async fn in_templates() -> Result<User, String> {
    Ok(User { id: 1 })
}

#[redis_invalidate(UserUpdated { id: ret.id }, mode = "after")]
async fn of_an_option() -> Result<Option<User>, String> {
    Ok(None)
}

#[redis_invalidate(UserUpdated { id: ret.id }, mode = "after")]
async fn of_nothing() {}

#[redis_invalidate(UserUpdated { id: ret.id + user.id }, mode = "after")]
async fn of_what_is_gone(user: User) -> User {
    user
}

fn main() {}
