use cached_core::redis_cached;

struct Db;

#[redis_cached(key = "user:<id>", skip(db), stale_while_revalidate = "5m", refresh = "background")]
async fn find(db: &Db, id: u64) -> u64 {
    let _ = db;
    id
}

impl Db {
    #[redis_cached(key = "order:<id>", spawn)]
    async fn order(&self, id: u64) -> u64 {
        let _ = self;
        id
    }
}

fn main() {}
