use cached_core::redis_cached;

#[redis_cached(key = "user:<id>", stale_if_error = "1h")]
async fn value(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", stale_while_revalidate = "5m", stale_if_error = "1h", spawn)]
async fn option(id: u64) -> Option<u64> {
    Some(id)
}

fn main() {}
