use cached_core::redis_cached;

// What the expansion calls `call` and `policy` is not there for the body.
#[redis_cached]
async fn find(id: u64) -> u64 {
    let _ = (call, policy, shape);
    id
}

fn main() {}
