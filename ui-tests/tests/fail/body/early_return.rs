use cached_core::redis_cached;

#[redis_cached]
async fn find(id: u64) -> Result<u64, String> {
    if id == 0 {
        return Err(0);
    }
    Ok(id)
}

fn main() {}
