use cached_core::redis_cached;

struct Query;

#[redis_cached(key = "search:<query:serde>:<page>")]
async fn search(query: &Query, page: u64) -> u64 {
    page
}

fn main() {}
