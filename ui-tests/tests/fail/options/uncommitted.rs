#![allow(unused)]

use cached_core::{redis_cached, redis_invalidate};
use std::collections::HashMap;
use std::pin::Pin;

struct Connection;
struct Transaction<'c>(&'c mut Connection);
struct DatabaseTransaction;
struct Held<T>(T);

// The rows that are read may be rolled back.
#[redis_cached(key = "user:<id>", skip(tx))]
async fn exclusive(tx: &mut Transaction<'_>, id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", skip(lang, tx, conn, pinned, held))]
async fn inside(
    lang: &str,
    tx: Option<&mut Connection>,
    conn: Pin<&mut Connection>,
    pinned: &mut (impl Sized + Send),
    Held(held): Held<&mut Connection>,
    id: u64,
) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", skip(tx, owned))]
async fn by_name(tx: &DatabaseTransaction, owned: Transaction<'_>, id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", batch = ids, skip(tx))]
async fn many(tx: &mut Connection, ids: &[u64]) -> HashMap<u64, u64> {
    HashMap::new()
}

struct Repo;

#[async_trait::async_trait]
trait Find {
    async fn find(&self, tx: &mut Connection, id: u64) -> u64;
}

#[async_trait::async_trait]
impl Find for Repo {
    #[redis_cached(key = "user:<id>", skip(tx))]
    async fn find(&self, tx: &mut Connection, id: u64) -> u64 {
        id
    }
}

#[redis_cached(key = "user:<id>", skip(tx), uncommitted = "yes")]
async fn another_word(tx: &mut Connection, id: u64) -> u64 {
    id
}

// One fault makes one message.
#[redis_cached(key = "user:<id>", skip(tx), uncomitted = "allow")]
async fn misspelt(tx: &mut Connection, id: u64) -> u64 {
    id
}

// To suggest only `skip` would lead to a second error.
#[redis_cached(key = "user:<id>")]
async fn in_no_key(tx: &mut Transaction<'_>, id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>:<tx.0>")]
async fn field_in_key(tx: &DatabaseTransaction, id: u64) -> u64 {
    id
}

#[redis_cached(key = "user:<id>", uncommitted = "allow")]
async fn allowed_and_forgotten(tx: &mut Connection, id: u64) -> u64 {
    id
}

// Nothing to allow: a pool, the argument of a function, and `self`.
#[redis_cached(key = "user:<id>", skip(pool, with), uncommitted = "allow")]
async fn nothing_to_allow(pool: &Connection, with: fn(&mut Connection), id: u64) -> u64 {
    id
}

#[redis_invalidate(key = "user:<id>", uncommitted = "allow")]
async fn of_a_write(tx: &mut Connection, id: u64) {}

fn main() {}
