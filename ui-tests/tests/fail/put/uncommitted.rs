#![allow(unused)]

use cached_core::redis_put;

struct Connection;
struct Transaction {
    id: u64,
}

// The value is stored before the commit.
#[redis_put(key = "user:<id>")]
async fn store(tx: &mut Connection, id: u64) -> u64 {
    id
}

// A row with this type name.
#[redis_put(key = "transaction:<paid.id>", uncommitted = "allow")]
async fn row(paid: &Transaction) -> u64 {
    paid.id
}

fn main() {}
