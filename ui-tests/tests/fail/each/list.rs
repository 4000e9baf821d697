#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

struct User {
    id: u64,
}

#[redis_invalidate(for user in usrs { UserUpdated { id: user.id } })]
async fn unknown_argument(users: &[User]) {}

#[redis_invalidate(for user in users.list { UserUpdated { id: user.id } })]
async fn unknown_place() {}

#[redis_invalidate(for order in ret.orders { UserUpdated { id: order.id } })]
async fn ret_in_a_bracket(id: u64) {}

#[redis_invalidate(for user in users { UserUpdated { id: user.id }, UserUpdated { id: ret.id } }, mode = "after")]
async fn ret_beside_a_list(users: Vec<User>) -> User {
    User { id: 1 }
}

fn main() {}
