use cached_core::redis_cached;

use std::time::Duration;

#[redis_cached(ttl = |_: &u64| Duration::from_secs(id))]
async fn find(id: u64) -> u64 {
    id
}

fn main() {}
