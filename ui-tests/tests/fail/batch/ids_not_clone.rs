use cached_core::{CacheKey, redis_cached};
use std::collections::HashMap;

#[derive(PartialEq, Eq, Hash, CacheKey)]
struct Id(u64);

#[redis_cached(key = "user:<id>", batch = ids)]
async fn find(ids: &[Id]) -> Vec<Option<u64>> {
    ids.iter().map(|id| Some(id.0)).collect()
}

fn main() {
    let _: HashMap<Id, u64> = HashMap::new();
}
