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

/// Two values that differ only in what `Serialize` leaves out would share an entry.
#[derive(serde::Serialize)]
struct Search {
    text: String,
    #[serde(skip)]
    tenant: u64,
}

#[redis_cached]
async fn search(query: &Search) -> u64 {
    query.tenant
}

#[redis_cached(key = "search:<query:hash>:<others:hash>")]
async fn searches(query: Search, others: Vec<Search>) -> u64 {
    query.tenant
}

fn main() {}
