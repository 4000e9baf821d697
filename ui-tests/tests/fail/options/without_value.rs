use cached_core::redis_cached;

#[redis_cached(ttl)]
async fn no_value(id: u64) -> u64 {
    id
}

#[redis_cached(ttl =, version = 2)]
async fn no_value_after_equals(id: u64) -> u64 {
    id
}

#[redis_cached(ttl("5m"))]
async fn parentheses(id: u64) -> u64 {
    id
}

#[redis_cached(cache_if, cache, jitter, none_ttl, version, codec, crate, key)]
async fn all(id: u64) -> u64 {
    id
}

fn main() {}
