#![allow(unused)]

use cached_core::{CacheEvent, CacheKey};

#[derive(CacheKey)]
struct Unknown(#[cache_key(hashed)] u64);

#[derive(CacheKey)]
struct Twice {
    #[cache_key(hash, serde)]
    id: u64,
}

#[derive(CacheKey)]
struct Crate {
    #[cache_key(crate = ::cached_core)]
    id: u64,
}

#[derive(CacheKey)]
enum OnVariant {
    #[cache_key(hash)]
    One(u64),
}

#[derive(CacheKey)]
#[cache_key(hash)]
struct OnType(u64);

#[derive(CacheEvent)]
struct Happened {
    #[event(hash)]
    id: u64,
}

fn main() {}
