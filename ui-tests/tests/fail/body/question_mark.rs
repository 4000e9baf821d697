use cached_core::redis_cached;

#[redis_cached]
async fn find(id: String) -> Result<u64, String> {
    Ok(id.parse::<u64>()?)
}

fn main() {}
