#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[redis_invalidate(UserUpdated { id })]
async fn tail(id: u64) {
    id
}

#[redis_invalidate(UserUpdated { id })]
async fn early_return(id: u64) -> Result<u64, String> {
    if id == 0 {
        return id;
    }
    Ok(id)
}

#[redis_invalidate(UserUpdated { id })]
async fn semicolon(id: u64) -> u64 {
    id;
}

#[redis_invalidate(UserUpdated { id })]
async fn question_mark(id: u64) -> Result<u64, std::num::ParseIntError> {
    let found: Result<u64, String> = Ok(id);
    Ok(found?)
}

fn main() {}
