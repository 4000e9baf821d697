use cached_core::redis_cached;

#[redis_cached(ttl = "five minutes")]
async fn words(id: u64) -> u64 {
    id
}

#[redis_cached(ttl = "-5m")]
async fn negative(id: u64) -> u64 {
    id
}

#[redis_cached(ttl = "")]
async fn empty(id: u64) -> u64 {
    id
}

fn main() {}
