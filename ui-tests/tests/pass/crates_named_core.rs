//! User crates with the names of the standard library's crates.

#![deny(warnings)]

extern crate tokio as core;
extern crate tokio as std;
extern crate tokio as alloc;
extern crate tokio as inventory;
extern crate tokio as serde;

use cached_core::{CacheEvent, CacheKey, redis_cached, redis_invalidate, redis_put};

#[derive(CacheKey)]
enum Scope<T> {
    All,
    One(T),
}

#[redis_cached(key = "a:<scope>:<id:hash>:<T>", ttl = "5m", jitter = 0.1, none_ttl = "off", codec = "json", version = 2)]
async fn find<T: cached_core::KeySegment + 'static>(scope: Scope<T>, id: u64) -> Result<Option<u64>, u64> {
    match scope {
        Scope::All => Err(id),
        Scope::One(_) => Ok(Some(id)),
    }
}

#[redis_cached]
async fn default_key(id: u64) -> u64 {
    id
}

#[derive(CacheEvent)]
struct Updated<T> {
    id: T,
}

#[redis_cached(key = "b:<id>", invalidate_on = [Updated::<u64> { id }, Updated::<u64> { .. }], tags = "<id>")]
async fn listens(id: u64) -> u64 {
    id
}

#[redis_invalidate(Updated::<u64> { id: *ret }, Updated::<u64> { id }, key = "<id:hash>:<ret>", tag = "<id>", mode = "after")]
async fn after(id: u64) -> u64 {
    id
}

#[redis_put(Updated::<u64> { id }, key = "b:<id>", on_unavailable = "fail")]
async fn put(id: u64) -> Result<u64, cached_core::CacheError> {
    Ok(id)
}

fn main() {
    drop(listens(1));
    drop(after(1));
    drop(put(1));
    drop(find(Scope::One(1), 1));
    drop(find(Scope::<u8>::All, 1));
    drop(default_key(1));
}
