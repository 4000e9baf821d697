use cached_core::redis_cached;

#[redis_cached(stale_while_revalidate = "0s")]
async fn zero(id: u64) -> u64 {
    id
}

#[redis_cached(stale_if_error = "short")]
async fn class(id: u64) -> u64 {
    id
}

#[redis_cached(spawn, stale_if_error = "1h", load_timeout = "200")]
async fn unit(id: u64) -> u64 {
    id
}

#[redis_cached(stale_while_revalidate = 300)]
async fn number(id: u64) -> u64 {
    id
}

#[redis_cached(stale_while_revalidate)]
async fn nothing(id: u64) -> u64 {
    id
}

fn main() {}
