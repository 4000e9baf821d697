use cached_core::redis_cached;

#[redis_cached(key = "user:<self.tenant>:<id>")]
async fn find(id: u64) -> u64 {
    id
}

fn main() {}
