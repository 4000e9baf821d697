//! Crates of the user's that are called like those of the standard library.

#![deny(warnings)]

extern crate tokio as core;
extern crate tokio as std;
extern crate tokio as alloc;
extern crate tokio as inventory;
extern crate tokio as serde;

use cached_core::{CacheKey, redis_cached};

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

fn main() {
    drop(find(Scope::One(1), 1));
    drop(find(Scope::<u8>::All, 1));
    drop(default_key(1));
}
