use cached_core::redis_cached;
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Id(u64);

#[redis_cached(key = "user:<id>", batch = ids)]
async fn find(ids: &[Id]) -> BTreeMap<Id, u64> {
    ids.iter().map(|id| (id.clone(), id.0)).collect()
}

fn main() {}
