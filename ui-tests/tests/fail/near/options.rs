use cached_core::{redis_cached, redis_invalidate, redis_put};

#[redis_cached(local = "short")]
async fn a_class(id: u64) -> u64 {
    id
}

#[redis_cached(local = 30)]
async fn a_number(id: u64) -> u64 {
    id
}

#[redis_cached(local = "30 s")]
async fn with_a_space(id: u64) -> u64 {
    id
}

#[redis_cached(local = "0s")]
async fn no_time(id: u64) -> u64 {
    id
}

#[redis_cached(local)]
async fn without_a_value(id: u64) -> u64 {
    id
}

#[redis_cached(near = "30s")]
async fn another_name(id: u64) -> u64 {
    id
}

#[redis_cached(local = "30s", on_gap = "server")]
async fn misspelt(id: u64) -> u64 {
    id
}

#[redis_cached(local = "30s", on_gap = "panic")]
async fn unknown(id: u64) -> u64 {
    id
}

#[redis_put(key = "user:<id>", local = "30s")]
async fn of_a_put(id: u64) -> u64 {
    id
}

#[redis_invalidate(key = "user:<id>", on_gap = "serve")]
async fn of_a_write(id: u64) -> u64 {
    id
}

fn main() {}
