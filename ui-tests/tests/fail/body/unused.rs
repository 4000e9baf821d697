#![deny(warnings)]

use cached_core::redis_cached;

#[redis_cached]
async fn find(id: u64) -> u64 {
    let forgotten = id;
    id
}

#[redis_cached(key = "one")]
#[must_use]
async fn one() -> u64 {
    1
}

async fn caller() {
    one().await;
    find(1).await;
}

fn main() {
    drop(caller());
}
