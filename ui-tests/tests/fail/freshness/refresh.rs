use cached_core::redis_cached;

#[redis_cached(stale_while_revalidate = "5m", refresh = "backgroud")]
async fn misspelt(id: u64) -> u64 {
    id
}

#[redis_cached(refresh_ahead = 0.0)]
async fn zero(id: u64) -> u64 {
    id
}

#[redis_cached(refresh_ahead = -1)]
async fn negative(id: u64) -> u64 {
    id
}

#[redis_cached(refresh_ahead = "1m")]
async fn duration(id: u64) -> u64 {
    id
}

#[redis_cached(spawn = true)]
async fn valued(id: u64) -> u64 {
    id
}

#[redis_cached(spawn, spawn)]
async fn twice(id: u64) -> u64 {
    id
}

#[redis_cached(stale_while_revalidte = "5m")]
async fn nearly(id: u64) -> u64 {
    id
}

#[redis_cached(swr = "5m")]
async fn elsewhere(id: u64) -> u64 {
    id
}

fn main() {}
