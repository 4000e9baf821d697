use cached_core::redis_cached;

#[redis_cached(ttl = "0s")]
async fn zero(id: u64) -> u64 {
    id
}

#[redis_cached(ttl = "400d")]
async fn too_long(id: u64) -> u64 {
    id
}

fn main() {}
