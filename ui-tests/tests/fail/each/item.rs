#![allow(unused)]

use cached_core::{CacheEvent, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[derive(CacheEvent)]
struct Imported;

struct User {
    id: u64,
}

#[redis_invalidate(for user in users { UserUpdated { id } })]
async fn not_named(users: &[User], id: u64) {}

#[redis_invalidate(
    for user in users { UserUpdated { id: user.id }, Imported, key = "users", tag = "tenant:<tenant>" }
)]
async fn not_named_by_some(users: &[User], tenant: u64) {}

#[redis_invalidate(for (id, user) in users { key = "users" })]
async fn two_not_named(users: &[(u64, User)]) {}

#[redis_invalidate(for users in users { UserUpdated { id: users.id } })]
async fn shadows_the_list(users: &[User]) {}

#[redis_invalidate(for (id, user) in users { UserUpdated { id } })]
async fn shadows_another(users: &[(u64, User)], id: u64) {}

#[redis_invalidate(for ret in ret { UserUpdated { id: ret.id } }, mode = "after")]
async fn shadows_ret() -> Vec<User> {
    Vec::new()
}

#[redis_invalidate(for _ in users { UserUpdated { id: 1 } })]
async fn nameless(users: &[User]) {}

#[redis_invalidate(for user in users { UserUpdated { id: usr.id } , key = "user:<usr.id>" })]
async fn misspelt(users: &[User]) {}

fn main() {}
