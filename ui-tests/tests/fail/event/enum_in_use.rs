use cached_core::{CacheEvent, redis_cached};

#[derive(CacheEvent)]
enum Change {
    Updated { id: u64 },
    Deleted { id: u64 },
}

#[redis_cached(key = "user:<id>", invalidate_on = [Change::Updated { id }, Change::Deleted { .. }])]
async fn find(id: u64) -> u64 {
    id
}

fn main() {}
