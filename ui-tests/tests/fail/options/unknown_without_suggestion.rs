use cached_core::redis_cached;

#[redis_cached(retries = 3)]
async fn find(id: u64) -> u64 {
    id
}

fn main() {}
