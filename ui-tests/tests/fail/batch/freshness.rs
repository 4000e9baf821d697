use cached_core::redis_cached;
use std::collections::HashMap;

#[redis_cached(key = "user:<id>", batch = ids, stale_while_revalidate = "5m", refresh_ahead)]
async fn renewed(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[redis_cached(key = "user:<id>", batch = ids, spawn)]
async fn spawned(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[redis_cached(key = "user:<id>", batch = ids, stale_if_error = "1h", spawn, load_timeout = "200ms")]
async fn bridged(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[redis_cached(key = "user:<id>", batch = ids, refresh_ahead, refresh = "background")]
async fn in_the_background(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

fn main() {}
