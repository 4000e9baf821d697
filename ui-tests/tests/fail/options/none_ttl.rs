use cached_core::redis_cached;

#[redis_cached(none_ttl = false)]
async fn off(id: u64) -> Option<u64> {
    Some(id)
}

#[redis_cached(none_ttl = "0s")]
async fn zero(id: u64) -> Option<u64> {
    Some(id)
}

fn main() {}
