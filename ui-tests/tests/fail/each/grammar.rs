#![allow(unused)]

use cached_core::{CacheEvent, redis_cached, redis_invalidate, redis_put};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

struct User {
    id: u64,
}

#[redis_cached(key = "users:<users>", for user in users { UserUpdated { id: user.id } })]
async fn read(users: Vec<u64>) -> u64 {
    1
}

#[redis_put(key = "users", for user in users { UserUpdated { id: user.id } })]
async fn put(users: Vec<User>) -> u64 {
    1
}

#[redis_invalidate(each(user in users), UserUpdated { id: user.id })]
async fn another_word(users: &[User]) {}

#[redis_invalidate(for user of users { UserUpdated { id: user.id } })]
async fn of(users: &[User]) {}

#[redis_invalidate(for user in users => UserUpdated { id: user.id })]
async fn arrow(users: &[User]) {}

#[redis_invalidate(for user in users {})]
async fn empty(users: &[User]) {}

#[redis_invalidate(for user in users { mode = "after", UserUpdated { id: user.id } })]
async fn option(users: &[User]) {}

#[redis_invalidate(for group in groups { for user in group { UserUpdated { id: user.id } } })]
async fn nested(groups: &[Vec<User>]) {}

#[redis_invalidate(for user in users { UserUpdated { id: user.id } } mode = "after")]
async fn no_comma(users: &[User]) {}

#[redis_invalidate(for user in users { key = user.id })]
async fn no_text(users: &[User]) {}

#[redis_invalidate(for user in users { UserUpdated { .. } })]
async fn any(users: &[User]) {}

fn main() {}
