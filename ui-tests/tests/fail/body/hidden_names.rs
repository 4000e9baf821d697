use cached_core::redis_cached;

// The body does not see the names `call`, `policy` and `shape` of the expansion.
#[redis_cached]
async fn find(id: u64) -> u64 {
    let _ = (call, policy, shape);
    id
}

fn main() {}
