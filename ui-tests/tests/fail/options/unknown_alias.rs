use cached_core::redis_cached;

#[redis_cached(key = "user:<id>", ttl_secs = 5)]
async fn ttl(id: u64) -> u64 {
    id
}

#[redis_cached(expire = 5)]
async fn expire(id: u64) -> u64 {
    id
}

#[redis_cached(name = "users", key = "user:<id>")]
async fn name(id: u64) -> u64 {
    id
}

#[redis_cached(unless = |value| value.is_empty())]
async fn unless(id: u64) -> u64 {
    id
}

#[redis_cached(result = true)]
async fn result(id: u64) -> Result<u64, ()> {
    Ok(id)
}

#[redis_cached(option = true)]
async fn option(id: u64) -> Option<u64> {
    Some(id)
}

fn main() {}
