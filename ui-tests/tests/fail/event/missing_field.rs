#![allow(unused)]

use cached_core::{CacheEvent, redis_cached, redis_invalidate};

#[derive(CacheEvent)]
struct PriceChanged {
    product: u64,
    country: String,
}

#[redis_cached(key = "price:<product>", invalidate_on = PriceChanged { product })]
async fn price(product: u64) -> u64 {
    product
}

#[redis_invalidate(PriceChanged {})]
async fn change(product: u64) {}

#[redis_invalidate(PriceChanged { product: *ret }, mode = "after")]
async fn change_after(product: u64) -> u64 {
    product
}

fn main() {}
