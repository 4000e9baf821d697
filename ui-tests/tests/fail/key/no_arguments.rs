use cached_core::redis_cached;

#[redis_cached(key = "rates:<currency>")]
async fn in_key() -> u64 {
    1
}

#[redis_cached(skip(db))]
async fn in_skip() -> u64 {
    1
}

fn main() {}
