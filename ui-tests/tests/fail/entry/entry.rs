//! Expressions that `entry!` and `entries!` do not accept.

use cached_core::{Entry, EntryError, entries, entry, redis_cached};
use std::collections::HashMap;

struct Unstored;

#[redis_cached(key = "user:<id>")]
async fn find(id: u64) -> Option<String> {
    Some(id.to_string())
}

#[redis_cached(key = "user:<id>", batch = ids)]
async fn find_many(ids: &[u64]) -> HashMap<u64, String> {
    ids.iter().map(|id| (*id, id.to_string())).collect()
}

async fn not_cached() -> Unstored {
    Unstored
}

async fn awaited() -> Result<Entry<String>, EntryError> {
    entry!(find(7).await)
}

async fn no_future() -> Result<Entry<u64>, EntryError> {
    entry!(7)
}

async fn no_value() {
    let _ = entry!(not_cached());
}

async fn many_of_no_future() {
    let _ = entries!(7);
}

async fn one() {
    let _ = entries!(find(7));
}

async fn of_another_type() {
    let entry = entry!(find(7)).unwrap();
    entry.set(&7).await.unwrap();
}

fn main() {}
