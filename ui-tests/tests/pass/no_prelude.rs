//! A module without the prelude.

#![deny(warnings)]
#![no_implicit_prelude]

use ::cached_core::{CacheEvent, CacheKey, redis_cached, redis_invalidate, redis_put};
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

#[derive(CacheEvent)]
struct Updated {
    id: u64,
}

#[derive(CacheEvent)]
struct Reloaded;

#[redis_cached(key = "b:<id>", invalidate_on = [Updated { id }, Updated { .. }, Reloaded], tags = "<id>")]
async fn listens(id: u64) -> u64 {
    id
}

#[redis_invalidate(Updated { id: *ret }, Updated { id }, key = "<id:hash>:<ret>", tag = "<id>", mode = "after")]
async fn after(id: u64) -> u64 {
    id
}

#[redis_put(Updated { id }, Reloaded, key = "b:<id>", on_unavailable = "fail")]
async fn put(id: u64) -> Result<u64, ::cached_core::CacheError> {
    Result::Ok(id)
}

fn main() {
    let _ = listens;
    let _ = after;
    let _ = put;
    ::core::mem::drop(find(Page { from: 1, to: 2 }, 1));
    let _ = default_key;
}
