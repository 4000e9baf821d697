use cached_core::{CacheEvent, CacheKey, redis_cached};

#[derive(CacheKey)]
struct Price(f64);

#[derive(CacheKey)]
enum Range {
    All,
    Upto(u8, Option<Price>),
}

#[redis_cached(key = "price:<price>")]
async fn one(price: Price) -> u64 {
    1
}

#[redis_cached(key = "range:<range>:<by_hash:hash>")]
async fn range(range: Range, by_hash: Range) -> u64 {
    1
}

#[derive(CacheKey)]
struct Prices {
    known: Vec<(u8, Option<f64>)>,
}

#[redis_cached(key = "prices:<prices>")]
async fn list(prices: Prices) -> u64 {
    1
}

#[derive(CacheEvent)]
struct PriceChanged {
    price: Price,
}

fn main() {}
