use cached_core::redis_cached;

#[redis_cached(key = "row:<T.name>")]
async fn find<T: 'static>() -> u64 {
    1
}

fn main() {}
