use cached_core::redis_cached;

const KEY: &str = "user:<id>";

#[redis_cached(key = KEY)]
async fn find(id: u64) -> u64 {
    id
}

fn main() {}
