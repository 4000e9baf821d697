use cached_core::redis_cached;

#[redis_cached(key = "user:<uid>")]
async fn find(id: u64) -> u64 {
    id
}

// Callers of a function with a fault are not reported.
async fn caller() -> u64 {
    find(1).await
}

fn main() {}
