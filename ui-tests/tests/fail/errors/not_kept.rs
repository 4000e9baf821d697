//! An error that the near cache cannot keep.

use cached_core::redis_cached;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct NotFound(u64);

#[redis_cached(key = "near:<id>", error_if = |_| true, local = "10s")]
async fn near(id: u64) -> Result<u64, NotFound> {
    Err(NotFound(id))
}

fn main() {}
