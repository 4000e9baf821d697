use cached_core::redis_cached;

const URL: &str = "redis://localhost";

#[redis_cached(cache = URL)]
async fn find(id: u64) -> u64 {
    id
}

fn main() {}
