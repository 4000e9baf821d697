#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate};

struct Db;

#[derive(CacheEvent)]
struct Priced {
    product: u64,
    price: f64,
    db: Db,
}

#[derive(CacheEvent)]
struct Generic<T> {
    id: T,
}

#[redis_invalidate(Generic::<f64> { id: 1.5 })]
async fn float() {}

fn main() {}
