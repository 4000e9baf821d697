//! Nothing is in scope but what is written.

#![deny(warnings)]
#![no_implicit_prelude]

use ::cached_core::{CacheKey, redis_cached};
use ::core::option::Option;
use ::core::result::Result;

#[derive(CacheKey)]
struct Page {
    from: u64,
    to: u64,
}

#[redis_cached(
    key = "a:<page>:<id:hash>",
    ttl = ::core::time::Duration::from_secs(id),
    cache_if = |value: &u64| *value > 0,
    jitter = 0.1,
    none_ttl = "off",
    codec = "json",
    version = 2
)]
async fn find(page: Page, id: u64) -> Result<Option<u64>, u64> {
    Result::Ok(Option::Some(page.from + page.to + id))
}

#[redis_cached(cache = cache, skip(cache))]
async fn default_key(cache: &::cached_core::Cache, id: u64) -> u64 {
    id
}

fn main() {
    ::core::mem::drop(find(Page { from: 1, to: 2 }, 1));
    let _ = default_key;
}
