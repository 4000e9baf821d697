#![allow(unused)]

use cached_core::redis_put;

#[redis_put(key = "user:<id>")]
async fn nothing(id: u64) {}

#[redis_put(key = "user:<id>")]
async fn unit(id: u64) -> () {}

#[redis_put(key = "user:<id>")]
async fn borrowed(id: &str) -> Result<&str, String> {
    Ok(id)
}

#[redis_put(key = "user:<id>")]
async fn unnameable(id: u64) -> impl Iterator<Item = u64> {
    0..id
}

#[redis_put(key = "user:<id>")]
fn not_async(id: u64) -> u64 {
    id
}

#[redis_put(key = "user:<id>")]
enum NoFunction {}

trait Users {
    #[redis_put(key = "user:<id>")]
    async fn rename(&self, id: u64) -> u64;
}

fn main() {}
