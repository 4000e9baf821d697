//! `impl Trait` as an argument.

use std::fmt::Display;

use cached_core::{KeySegment, redis_cached};
use serde::Serialize;

#[redis_cached(key = "name:<name>")]
async fn find(name: impl KeySegment + Display) -> String {
    name.to_string()
}

#[redis_cached]
async fn default_key(names: &[impl Serialize]) -> usize {
    names.len()
}

fn main() {}
