use cached_core::redis_cached;

#[redis_cached(key = "user:<id>", batch = ids)]
async fn find(ids: &[u64]) -> Vec<u64> {
    ids.to_vec()
}

fn main() {}
