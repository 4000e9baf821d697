#![allow(unused)]

use cached_core::redis_put;

struct User;

#[redis_put(key = "user:<id>")]
async fn not_serializable(id: u64) -> Result<User, String> {
    Ok(User)
}

#[redis_put(key = "user:<id>", on_unavailable = "fail")]
async fn cannot_fail(id: u64) -> Option<u64> {
    Some(id)
}

#[redis_put(key = "user:<id>", cache = "redis".len())]
async fn cache(id: u64) -> u64 {
    id
}

fn main() {}
