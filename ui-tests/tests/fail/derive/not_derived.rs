use cached_core::redis_cached;

struct UserId(u64);

#[redis_cached(key = "user:<id>")]
async fn find(id: UserId) -> u64 {
    id.0
}

fn main() {}
