use cached_core::redis_cached;

#[redis_cached(key = "user:*")]
async fn key(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", tags = "tenant:*")]
async fn tag(id: u64) -> u64 {
    id
}

fn main() {}
