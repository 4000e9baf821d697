//! `for` of a write: every list and every pattern.

#![deny(warnings)]
#![warn(clippy::all, clippy::pedantic)]

use cached_core::{CacheEvent, redis_invalidate};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

#[derive(CacheEvent)]
#[event(by(tenant))]
struct UserUpdated {
    tenant: u64,
    id: u64,
}

#[derive(CacheEvent)]
struct Renamed<'a> {
    name: &'a str,
}

struct User {
    id: u64,
    name: String,
}

struct Page {
    users: Vec<User>,
    first: Option<u64>,
}

#[redis_invalidate(for user in users { UserUpdated { tenant, id: user.id }, key = "user:<user.id>", tag = "name:<user.name:hash>" })]
async fn slice(tenant: u64, users: &[User]) {
    let _ = (tenant, users.len());
}

// The body consumes what the lists borrow.
#[redis_invalidate(
    for user in users { UserUpdated { tenant: 1, id: user.id }, Renamed { name: &user.name } },
    for id in ids { UserUpdated { tenant: 1, id } },
    for id in &chosen { UserUpdated { tenant: 1, id } },
    UserUpdated { tenant: 2, id: users.len() as u64 },
    key = "users",
)]
async fn owned(users: Vec<User>, ids: BTreeSet<u64>, chosen: Option<u64>) {
    drop((users, ids, chosen));
}

#[redis_invalidate(for id in ids.iter() { UserUpdated { tenant: 1, id }, key = "user:<id>" })]
async fn shared(ids: Arc<Vec<u64>>) {
    drop(ids);
}

#[redis_invalidate(
    for id in ids { key = "user:<id>" },
    for user in users { key = "user:<user.id>" },
    uncommitted = "allow"
)]
async fn exclusive(ids: &mut [u64; 3], users: &mut Vec<User>) {
    ids[0] += 1;
    users.clear();
}

#[redis_invalidate(
    for (id, user) in users { UserUpdated { tenant: 1, id }, key = "user:<id>:<user.name>" },
    for user in users.values() { key = "user:<user.id>" },
    for id in users.keys().copied() { UserUpdated { tenant: 1, id }, key = "user:<id>" },
    for User { id, .. } in users.values().filter(|user| !user.name.is_empty()) { UserUpdated { tenant: 1, id } }
)]
async fn map(users: HashMap<u64, User>) {
    drop(users);
}

#[redis_invalidate(
    for user in page.users { key = "user:<user.id>" },
    for first in page.first { UserUpdated { tenant: 1, id: *first } },
    for n in 0..3 { key = "page:<n>" },
    for name in text.split(',') { Renamed { name } }
)]
async fn fields(page: Page, text: &str) {
    drop((page.users, page.first, text.len()));
}

#[redis_invalidate(
    for user in ret { UserUpdated { tenant, id: user.id }, key = "user:<tenant>:<user.id>:<text>" },
    UserUpdated { tenant, id: ret.len() as u64 },
    mode = "after"
)]
async fn returned(tenant: u64, text: String) -> Result<Vec<User>, String> {
    if tenant == 0 { Err(text) } else { Ok(Vec::new()) }
}

#[redis_invalidate(for user in ret.users { key = "user:<user.id>:<ret.first>" }, for id in ids { key = "user:<id>" }, mode = "after")]
async fn part_of_returned(ids: Vec<u64>) -> Page {
    drop(ids);
    Page { users: Vec::new(), first: None }
}

struct Repo {
    names: Vec<String>,
}

impl Repo {
    #[redis_invalidate(for name in self.names { Renamed { name: name.as_str() }, key = "name:<name>" })]
    async fn method(&self) {
        let _ = self.names.len();
    }

    #[redis_invalidate(for _id in ids { key = "item:<_id>" })]
    async fn generic<T: cached_core::KeySegment>(&self, ids: &[T]) {
        let _ = (self.names.len(), ids.len());
    }
}

fn main() {}
