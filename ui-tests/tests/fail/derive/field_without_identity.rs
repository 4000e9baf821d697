#![allow(unused)]

use cached_core::CacheKey;

struct Opaque;

#[derive(CacheKey)]
struct Id {
    tenant: u64,
    #[cache_key(hash)]
    opaque: Opaque,
}

#[derive(CacheKey)]
enum Choice {
    All,
    Of(u64, Vec<Opaque>),
}

fn main() {}
