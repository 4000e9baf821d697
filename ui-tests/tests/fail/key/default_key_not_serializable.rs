use cached_core::redis_cached;

struct Db;

#[redis_cached]
async fn find(db: &Db, id: u64) -> u64 {
    id
}

fn main() {}
