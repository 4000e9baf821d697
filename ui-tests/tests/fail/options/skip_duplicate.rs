use cached_core::redis_cached;

#[redis_cached(skip(db, db))]
async fn find(id: u64, db: &str) -> u64 {
    id + db.len() as u64
}

fn main() {}
