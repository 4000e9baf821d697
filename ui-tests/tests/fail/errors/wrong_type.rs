//! A closure for another error, and one that decides nothing.

use cached_core::redis_cached;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct NotFound;

#[redis_cached(key = "other:<id>", error_if = |error: &String| error == "not found")]
async fn other(id: u64) -> Result<u64, NotFound> {
    Ok(id)
}

#[redis_cached(key = "undecided:<id>", error_if = |_| ())]
async fn undecided(id: u64) -> Result<u64, NotFound> {
    Ok(id)
}

fn main() {}
