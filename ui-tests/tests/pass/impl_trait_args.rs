//! `impl Trait` as an argument.

use std::fmt::Display;

use cached_core::{KeyIdentity, KeySegment, redis_cached};

#[redis_cached(key = "name:<name>")]
async fn find(name: impl KeySegment + Display) -> String {
    name.to_string()
}

#[redis_cached]
async fn default_key(names: &[impl KeyIdentity]) -> usize {
    names.len()
}

fn main() {}
