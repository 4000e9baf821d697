use cached_core::redis_cached;

#[redis_cached(skip = db)]
async fn equals(id: u64, db: &str) -> u64 {
    id + db.len() as u64
}

#[redis_cached(skip("db"))]
async fn text(id: u64, db: &str) -> u64 {
    id + db.len() as u64
}

fn main() {}
