use cached_core::redis_cached;

#[redis_cached(refresh = "background")]
async fn nothing_to_renew(id: u64) -> u64 {
    id
}

#[redis_cached(refresh = "background", stale_if_error = "1h")]
async fn renewed_by_waiting_callers(id: u64) -> u64 {
    id
}

#[redis_cached(load_timeout = "200ms", stale_if_error = "1h")]
async fn timeout_without_spawn(id: u64) -> u64 {
    id
}

#[redis_cached(load_timeout = "200ms", spawn)]
async fn timeout_with_nothing_to_return(id: u64) -> u64 {
    id
}

#[redis_cached(stale_while_revalidate = "1h", stale_if_error = "1h")]
async fn never_reached(id: u64) -> u64 {
    id
}

#[redis_cached(ttl = "10s", local = "30s")]
async fn kept_too_long(id: u64) -> u64 {
    id
}

#[redis_cached(ttl = "10s", local = "30s", stale_while_revalidate = "15s")]
async fn kept_too_long_even_so(id: u64) -> u64 {
    id
}

fn main() {}
