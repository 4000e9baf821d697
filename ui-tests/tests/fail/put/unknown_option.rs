#![allow(unused)]

use cached_core::redis_put;

#[redis_put(key = "user:<id>", mode = "after")]
async fn mode(id: u64) -> u64 {
    id
}

#[redis_put(key = "user:<id>", tag = "user:<id>")]
async fn tag(id: u64) -> u64 {
    id
}

#[redis_put(key = "user:<id>", skip(name))]
async fn skip(id: u64, name: &str) -> u64 {
    id
}

#[redis_put(key = "user:<id>", emits = UserUpdated { id })]
async fn emits(id: u64) -> u64 {
    id
}

#[redis_put(key = "user:<id>", ttl = "5 minutes", version = 0, key = "other")]
async fn of_the_entry(id: u64) -> u64 {
    id
}

#[redis_put(key = "user:<*>")]
async fn all(id: u64) -> u64 {
    id
}

fn main() {}
