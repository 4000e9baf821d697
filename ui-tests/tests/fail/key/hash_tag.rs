use cached_core::redis_cached;

#[redis_cached(key = "{users:<id>")]
async fn open(id: u64) -> u64 {
    id
}

#[redis_cached(key = "{}:<id>")]
async fn empty(id: u64) -> u64 {
    id
}

#[redis_cached(key = "{users}:{<id>}")]
async fn two(id: u64) -> u64 {
    id
}

#[redis_cached(key = "users}:<id>")]
async fn not_open(id: u64) -> u64 {
    id
}

#[redis_cached(key = "{users}}:<id>")]
async fn closed_twice(id: u64) -> u64 {
    id
}

fn main() {}
