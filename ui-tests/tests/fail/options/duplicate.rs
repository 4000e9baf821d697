use cached_core::redis_cached;

#[redis_cached(ttl = "5m", key = "user:<id>", ttl = "10m")]
async fn find(id: u64) -> u64 {
    id
}

fn main() {}
