use cached_core::{CacheEvent, redis_cached, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[derive(CacheEvent)]
struct OrderPlaced {
    user_id: u64,
}

#[redis_cached(key = "user:<user_id>", invalidate_on = UserUpdated { id })]
async fn find(user_id: u64) -> u64 {
    user_id
}

#[redis_invalidate(OrderPlaced { user_id })]
async fn order(id: u64) {
    drop(id);
}

fn main() {}
