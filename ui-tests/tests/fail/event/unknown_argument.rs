#![allow(unused)]

use cached_core::{CacheEvent, redis_cached, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

struct User {
    id: u64,
}

#[redis_invalidate(UserUpdated { id })]
async fn update(user: &User) {}

#[redis_cached(key = "user:<idd>", invalidate_on = UserUpdated { id })]
async fn slip(idd: u64) -> u64 {
    idd
}

#[redis_invalidate(UserUpdated { id })]
async fn no_arguments() {}

impl User {
    #[redis_invalidate(UserUpdated { id })]
    async fn touch(&self) {}
}

#[redis_invalidate(UserUpdated { id: user_id })]
async fn of_an_expression(id: u64) {}

fn main() {}
