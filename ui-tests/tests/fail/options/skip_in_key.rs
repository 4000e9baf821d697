use cached_core::redis_cached;

#[redis_cached(key = "user:<id>", skip(id))]
async fn find(id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<pair.0>:<pair.1>", skip(pair))]
async fn every_item(pair: (u64, u64)) -> u64 {
    pair.0
}

#[redis_cached(key = "user:<pair.0>:<pair:hash>", skip(pair))]
async fn field_and_whole(pair: (u64, u64)) -> u64 {
    pair.0
}

fn main() {}
