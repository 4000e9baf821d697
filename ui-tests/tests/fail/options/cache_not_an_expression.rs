use cached_core::redis_cached;

#[redis_cached(cache = "redis")]
async fn find(id: u64) -> u64 {
    id
}

fn main() {}
