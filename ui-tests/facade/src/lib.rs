//! A crate that re-exports the library, for the others of its workspace.

pub use cached_core as caching;

/// Makes a cached function in another crate, whatever name that has for the library.
#[macro_export]
macro_rules! cached_row {
    ($name:ident, $event:ident) => {
        #[derive($crate::caching::CacheEvent)]
        #[event(crate = $crate::caching)]
        struct $event {
            id: u64,
        }

        #[$crate::caching::redis_cached(crate = $crate::caching, key = "row:<id>", invalidate_on = $event { id })]
        async fn $name(id: u64) -> u64 {
            id
        }
    };
}
