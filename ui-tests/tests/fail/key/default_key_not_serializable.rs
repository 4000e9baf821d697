use cached_core::redis_cached;

struct Db;

struct Context;

#[redis_cached]
async fn find(db: &Db, id: u64) -> u64 {
    id
}

#[redis_cached]
async fn two(db: &Db, id: u64, context: Context) -> u64 {
    id
}

#[redis_cached(key = "user:<id>:<db:hash>")]
async fn explicit(db: &Db, id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<*>")]
async fn all(db: &Db, id: u64) -> u64 {
    id
}

#[redis_cached]
async fn generic<T>(id: T) -> u64 {
    1
}

fn main() {}
