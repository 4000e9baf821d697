//! `#[must_use]` on the function and on the value.

#![deny(warnings)]

use cached_core::redis_cached;

#[derive(serde::Serialize, serde::Deserialize)]
#[must_use]
struct Receipt(u64);

#[redis_cached]
#[must_use]
async fn find(id: u64) -> Receipt {
    Receipt(id)
}

async fn caller() -> u64 {
    let Receipt(id) = find(1).await;
    id
}

fn main() {
    drop(caller());
}
