use cached_core::redis_cached;

#[redis_cached(key = "price:<factor>")]
async fn find(factor: f64) -> u64 {
    1
}

fn main() {}
