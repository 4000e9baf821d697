#![allow(unused)]

use cached_core::{CacheEvent, redis_put};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: u64,
}

#[redis_put(key = "user:<ret.id>")]
async fn key(name: &str) -> User {
    User { id: name.len() as u64 }
}

#[redis_put(UserUpdated { id: ret.id }, key = "user:<name>", tags = "user:<ret.id>")]
async fn event(name: &str) -> User {
    User { id: name.len() as u64 }
}

fn main() {}
