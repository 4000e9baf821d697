use std::error::Error;

use cached_core::redis_cached;

#[redis_cached(key = "a:<id>", spawn)]
async fn find(id: u64) -> Result<u64, Box<dyn Error>> {
    Ok(id)
}

fn main() {}
