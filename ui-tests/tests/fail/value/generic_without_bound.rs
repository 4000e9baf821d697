use cached_core::redis_cached;

#[redis_cached(key = "rows:<T>")]
async fn rows<T: Default>() -> Vec<T> {
    Vec::new()
}

fn main() {}
