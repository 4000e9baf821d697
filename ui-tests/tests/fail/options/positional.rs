use cached_core::redis_cached;

#[redis_cached("user:<id>")]
async fn key(id: u64) -> u64 {
    id
}

#[redis_cached("user:<id>", 60)]
async fn both(id: u64) -> u64 {
    id
}

#[redis_cached(60)]
async fn number(id: u64) -> u64 {
    id
}

#[redis_cached("5m", key = "user:<id>")]
async fn duration(id: u64) -> u64 {
    id
}

#[redis_cached(-1, true)]
async fn neither(id: u64) -> u64 {
    id
}

fn main() {}
