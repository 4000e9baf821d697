use cached_core::redis_cached;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct User(u64);

#[redis_cached(key = "user:<id>", batch = ids)]
async fn find(ids: &[u64]) -> Result<Vec<Option<User>>, String> {
    Ok(ids.iter().map(|id| Some(User(*id))).collect())
}

fn main() {}
