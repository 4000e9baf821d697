use cached_core::redis_cached;

#[redis_cached(version = 0)]
async fn zero(id: u64) -> u64 {
    id
}

#[redis_cached(version = "2")]
async fn text(id: u64) -> u64 {
    id
}

#[redis_cached(version = 5_000_000_000)]
async fn too_large(id: u64) -> u64 {
    id
}

fn main() {}
