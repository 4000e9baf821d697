use cached_core::redis_cached;

use std::future::Future;

#[redis_cached]
fn find(id: u64) -> impl Future<Output = u64> {
    async move { id }
}

fn main() {}
