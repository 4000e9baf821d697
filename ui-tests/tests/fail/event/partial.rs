#![allow(unused)]

use cached_core::{CacheEvent, redis_cached, redis_invalidate};

#[derive(CacheEvent)]
#[event(by(product))]
struct PriceChanged {
    product: u64,
    country: u64,
}

#[redis_cached(key = "price:<product>", invalidate_on = PriceChanged { product, ..PriceChanged::default() })]
async fn with_base(product: u64) -> u64 {
    product
}

#[redis_cached(key = "price:<product>", invalidate_on = PriceChanged { ..PriceChanged::default() })]
async fn with_base_alone(product: u64) -> u64 {
    product
}

#[redis_invalidate(PriceChanged { product, .. })]
async fn change(product: u64) {}

#[redis_invalidate(PriceChanged { .. })]
async fn change_any() {}

fn main() {}
