//! `crate = ..` wins over what the root says: here that names a crate without the library.

#![deny(warnings)]

#[expect(unused_extern_crates, reason = "no attribute looks there; it would find nothing")]
extern crate core as cached_core;

use caching::{CacheEvent, CacheKey, redis_cached, redis_invalidate};

#[derive(CacheKey)]
#[cache_key(crate = ::caching)]
struct Id(u64);

#[derive(CacheEvent)]
#[event(crate = ::caching, name = "renamed.updated")]
struct Updated {
    id: u64,
}

#[redis_cached(crate = ::caching, key = "written-out:<id>", invalidate_on = Updated { id: id.0 })]
async fn find(id: Id) -> u64 {
    id.0
}

#[redis_invalidate(crate = facade::caching, Updated { id })]
async fn update(id: u64) {
    let _ = id;
}

// Said by the macro, with `$crate`.
facade::cached_row!(row, RowChanged);

fn main() {
    drop(find(Id(1)));
    drop(update(1));
    drop(row(1));
    let _ = RowChanged { id: 1 };
}
