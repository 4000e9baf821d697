use cached_core::redis_cached;

#[redis_cached(cache_if = |value: &String| value.is_empty())]
async fn argument(id: u64) -> u64 {
    id
}

#[redis_cached(cache_if = |value: &u64| *value)]
async fn result(id: u64) -> u64 {
    id
}

fn main() {}
