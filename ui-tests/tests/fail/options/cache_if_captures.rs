use cached_core::redis_cached;

#[redis_cached(key = "user:<id>", skip(limit), cache_if = |value: &u64| *value < limit)]
async fn find(id: u64, limit: u64) -> u64 {
    id
}

fn main() {}
