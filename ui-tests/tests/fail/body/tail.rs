use cached_core::redis_cached;

#[redis_cached]
async fn find(id: u64) -> Result<u64, String> {
    id
}

fn main() {}
