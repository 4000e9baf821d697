//! `mut` arguments stay mutable and raise no warning.

#![deny(warnings)]

use cached_core::redis_cached;

#[redis_cached]
async fn find(mut id: u64, mut names: Vec<String>) -> u64 {
    id += 1;
    names.push(id.to_string());
    names.len() as u64
}

fn main() {
    drop(find(1, Vec::new()));
}
