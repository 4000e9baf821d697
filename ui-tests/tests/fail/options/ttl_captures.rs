use cached_core::redis_cached;

#[redis_cached(ttl = |_: &u64| std::time::Duration::from_secs(id))]
async fn find(id: u64) -> u64 {
    id
}

fn main() {}
