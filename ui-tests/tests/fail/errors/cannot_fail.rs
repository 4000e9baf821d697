//! A function that cannot fail has no errors to store, however its type is spelled.

use cached_core::redis_cached;

type Found = Option<u64>;

#[redis_cached(key = "plain:<id>", error_if = |_: &String| true)]
async fn plain(id: u64) -> u64 {
    id
}

#[redis_cached(key = "alias:<id>", error_if = |error| true, error_ttl = "30s", local = "10s")]
async fn alias(id: u64) -> Found {
    Some(id)
}

fn main() {}
