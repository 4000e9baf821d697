use cached_core::redis_cached;

#[redis_cached(key = "user:<id")]
async fn open(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:id>")]
async fn close(id: u64) -> u64 {
    id
}

fn main() {}
