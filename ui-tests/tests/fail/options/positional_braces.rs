use cached_core::redis_cached;

#[redis_cached("user:{id}:{filter.lang}", ttl = "5m")]
async fn find(id: u64, filter: (u64, u64)) -> u64 {
    id + filter.0
}

fn main() {}
