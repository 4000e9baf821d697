//! The runtime under another name, by an absolute, a relative and a `crate` path.

mod vendor {
    pub mod prelude {
        pub use cached_core as caching;
    }
}

// Hides `cached-core` under its own name.
#[allow(unused_extern_crates)]
extern crate cached_core as renamed;

use renamed::{CacheEvent, CacheKey, redis_cached, redis_invalidate, redis_put};
use vendor::prelude::caching;

#[derive(CacheKey)]
#[cache_key(crate = crate::vendor::prelude::caching)]
enum Scope<T> {
    All,
    One(T),
}

#[redis_cached(crate = ::renamed, key = "a:<id>", cache_if = |value| *value > 0)]
async fn absolute(id: u64) -> u64 {
    id
}

#[redis_cached(crate = caching, key = "b:<scope>")]
async fn relative(scope: Scope<u64>) -> u64 {
    match scope {
        Scope::All => 0,
        Scope::One(id) => id,
    }
}

#[redis_cached(crate = crate::vendor::prelude::caching)]
async fn from_the_root(id: u64) -> Option<u64> {
    Some(id)
}

#[derive(CacheEvent)]
#[event(crate = crate::vendor::prelude::caching)]
struct Updated {
    id: u64,
}

#[derive(CacheEvent)]
#[event(crate = renamed, name = "reloaded")]
struct Reloaded;

#[redis_cached(crate = ::renamed, key = "d:<id>", invalidate_on = [Updated { id }, Reloaded], tags = "<id>")]
async fn listens(id: u64) -> u64 {
    id
}

#[redis_invalidate(crate = caching, Updated { id }, Updated { id: *ret }, key = "<id>:<ret>", mode = "after")]
async fn writes(id: u64) -> u64 {
    id
}

#[redis_invalidate(crate = caching, Updated { id }, Reloaded, key = "<id:hash>", on_unavailable = "fail")]
async fn brackets(id: u64) -> Result<u64, caching::CacheError> {
    Ok(id)
}

#[redis_put(crate = crate::vendor::prelude::caching, Updated { id }, key = "<id>")]
async fn puts(id: u64) -> Option<u64> {
    Some(id)
}

fn main() {}
