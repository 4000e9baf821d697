use cached_core::redis_cached;

#[redis_cached]
async fn find(id: u64) -> Option<impl ToString> {
    Some(id)
}

fn main() {}
