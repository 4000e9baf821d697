use cached_core::redis_cached;

#[redis_cached(ttl = id * 60)]
async fn of_arguments(id: u64) -> u64 {
    id
}

#[redis_cached(ttl = |value: &u64| *value)]
async fn of_value(id: u64) -> u64 {
    id
}

#[redis_cached(ttl = 1.5)]
async fn float(id: u64) -> u64 {
    id
}

#[redis_cached(ttl = true)]
async fn boolean(id: u64) -> u64 {
    id
}

fn main() {}
