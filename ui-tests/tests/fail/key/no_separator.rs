use cached_core::redis_cached;

#[redis_cached(key = "user:<first>-<last>")]
async fn find(first: &str, last: &str) -> usize {
    first.len() + last.len()
}

fn main() {}
