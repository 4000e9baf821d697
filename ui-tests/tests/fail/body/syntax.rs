use cached_core::redis_cached;

#[redis_cached]
async fn find(id: u64) -> u64 {
    let doubled = ;
    id
}

fn main() {}
