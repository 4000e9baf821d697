#![allow(unused)]

use cached_core::{CacheEvent, redis_cached, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[derive(CacheEvent)]
struct Renamed {
    name: String,
}

struct User {
    id: u32,
}

#[redis_cached(key = "user:<id>", invalidate_on = UserUpdated { id })]
async fn find(id: &str) -> String {
    id.to_owned()
}

#[redis_cached(key = "user:<name>", invalidate_on = Renamed { name })]
async fn by_name(name: &str) -> String {
    name.to_owned()
}

#[redis_invalidate(UserUpdated { id: user.id })]
async fn update(user: &User) {}

#[redis_invalidate(UserUpdated { id: ret.id }, mode = "after")]
async fn create() -> User {
    User { id: 1 }
}

fn main() {}
