use cached_core::redis_cached;

#[redis_cached(crate = "renamed")]
async fn text(id: u64) -> u64 {
    id
}

#[redis_cached(crate = ::renamed)]
async fn unknown(id: u64) -> u64 {
    id
}

fn main() {}
