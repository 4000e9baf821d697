use cached_core::redis_cached;

#[redis_cached(ttl = "5 minutes")]
async fn words(id: u64) -> u64 {
    id
}

#[redis_cached(ttl = "90")]
async fn no_unit(id: u64) -> u64 {
    id
}

#[redis_cached(ttl = 90)]
async fn number(id: u64) -> u64 {
    id
}

#[redis_cached(ttl = "1.5h")]
async fn fraction(id: u64) -> u64 {
    id
}

#[redis_cached(ttl = "30m1h")]
async fn order(id: u64) -> u64 {
    id
}

#[redis_cached(ttl = "2w")]
async fn weeks(id: u64) -> u64 {
    id
}

fn main() {}
