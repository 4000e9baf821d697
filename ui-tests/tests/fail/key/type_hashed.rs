use cached_core::redis_cached;

#[redis_cached(key = "rows:<T:hash>")]
async fn find<T: 'static>() -> u64 {
    1
}

fn main() {}
