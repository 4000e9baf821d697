use cached_core::redis_cached;

#[redis_cached(codec = "jsno")]
async fn misspelt(id: u64) -> u64 {
    id
}

#[redis_cached(codec = Json)]
async fn path(id: u64) -> u64 {
    id
}

fn main() {}
