//! A library that is there only as a part of another crate.

#![deny(warnings, rust_2018_idioms, clippy::pedantic, clippy::nursery)]
#![forbid(unsafe_code)]
#![expect(clippy::redundant_pub_crate, reason = "`unreachable_pub` wants the opposite")]

facade::caching::extern_crate!();

#[cfg(test)]
use facade::caching::Cache;

mod rows {
    use facade::caching::{CacheEvent, CacheKey, redis_cached, redis_invalidate, redis_put};

    #[derive(CacheKey)]
    pub(super) struct Page<T> {
        pub(super) from: T,
        #[cache_key(hash)]
        pub(super) name: String,
    }

    #[derive(CacheEvent)]
    pub(super) struct Changed<T> {
        pub(super) id: T,
    }

    #[redis_cached(key = "rows:<page>", invalidate_on = Changed::<u64> { .. })]
    pub(super) async fn rows(page: Page<u64>) -> Vec<u64> {
        std::future::ready(vec![page.from]).await
    }

    #[redis_invalidate(Changed::<u64> { id })]
    pub(super) async fn change(id: u64) {
        std::future::ready(id).await;
    }

    #[redis_put(Changed::<u64> { id }, key = "row:<id>", ttl = "5m")]
    pub(super) async fn put(id: u64) -> u64 {
        std::future::ready(id).await
    }
}

// Says itself where it is, in a crate whose other functions do not.
facade::cached_row!(row, RowChanged);

fn main() {
    drop(rows::rows(rows::Page { from: 1, name: "a".to_owned() }));
    drop(rows::change(1));
    drop(rows::put(1));
    drop(row(1));
    let _ = RowChanged { id: 1 };
}

#[test]
fn the_functions_are_in_the_registry_of_the_library() {
    let stats = Cache::memory().stats();
    for function in ["rows", "change", "put", "row"] {
        assert!(stats.site(function).is_some(), "{function}");
    }
}
