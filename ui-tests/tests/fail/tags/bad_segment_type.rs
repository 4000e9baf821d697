#![allow(unused)]

use cached_core::{redis_cached, redis_invalidate};

#[redis_cached(key = "a:<id>", tags = "price:<price>", skip(price))]
async fn find(id: u64, price: f64) -> f64 {
    price + id as f64
}

#[redis_invalidate(tag = "price:<price>", key = "price:<price>")]
async fn write(price: f64) {}

fn main() {}
