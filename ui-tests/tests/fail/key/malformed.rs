use cached_core::redis_cached;

#[redis_cached(key = "user:<id lang>")]
async fn two_in_one(id: u64, lang: &str) -> u64 {
    id + lang.len() as u64
}

#[redis_cached(key = "user:< id >")]
async fn blanks(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<&id>")]
async fn reference(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<pair._>")]
async fn no_field(pair: (u64, u64)) -> u64 {
    pair.0
}

#[redis_cached(key = "user:<*:serde>")]
async fn all_by_serde(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<*:hash>")]
async fn all_hashed(id: u64) -> u64 {
    id
}

fn main() {}
