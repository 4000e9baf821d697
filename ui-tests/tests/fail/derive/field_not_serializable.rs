#![allow(unused)]

use cached_core::{CacheEvent, CacheKey};

struct Opaque;

#[derive(CacheKey)]
struct Id {
    tenant: u64,
    #[cache_key(serde)]
    opaque: Opaque,
}

#[derive(CacheEvent)]
struct Happened {
    #[cache_key(serde)]
    opaque: Opaque,
}

fn main() {}
