use cached_core::redis_cached;

#[redis_cached(key = "user:<id>")]
#[redis_cached(key = "person:<id>")]
async fn find(id: u64) -> u64 {
    id
}

fn main() {}
