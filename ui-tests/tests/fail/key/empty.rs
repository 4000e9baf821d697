use cached_core::redis_cached;

#[redis_cached(key = "")]
async fn template(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<>")]
async fn placeholder(id: u64) -> u64 {
    id
}

fn main() {}
