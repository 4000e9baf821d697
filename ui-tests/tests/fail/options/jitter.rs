use cached_core::redis_cached;

#[redis_cached(jitter = 1.0)]
async fn too_much(id: u64) -> u64 {
    id
}

#[redis_cached(jitter = -0.1)]
async fn negative(id: u64) -> u64 {
    id
}

#[redis_cached(jitter = "10%")]
async fn text(id: u64) -> u64 {
    id
}

fn main() {}
