#![allow(unused)]

use cached_core::redis_cached;
use std::collections::HashMap;

struct Filter {
    lang: String,
}

#[redis_cached(key = "a:<tenant>:<id>", tags = |value: &u64, tenannt| [format!("{tenannt}:{value}")])]
async fn misspelt(tenant: u64, id: u64) -> u64 {
    id
}

#[redis_cached(key = "b:<tenant>", tags = ["all", |value: &u64, _| [value.to_string()]])]
async fn no_name(tenant: u64) -> u64 {
    tenant
}

#[redis_cached(key = "c:<tenant>", tags = |value: &u64, tenant: &str| [tenant.to_owned()])]
async fn another_type(tenant: u64) -> u64 {
    tenant
}

#[redis_cached(key = "d:<filter.lang>", skip(filter), tags = |value: &u64, filter| [filter.lang.clone()])]
async fn not_clone(filter: Filter) -> u64 {
    filter.lang.len() as u64
}

#[redis_cached(key = "e:<id>", batch = ids, tags = |value: &u64, id| [format!("{id}:{value}")])]
async fn element(ids: &[u64]) -> HashMap<u64, u64> {
    HashMap::new()
}

#[redis_cached(key = "f:<*>", tags = |value: &u8, a, b, c, d, e| [format!("{a}{b}{c}{d}{e}")])]
async fn five(a: u8, b: u8, c: u8, d: u8, e: u8) -> u8 {
    a
}

#[redis_cached(key = "g", skip(more), tags = |value: &u8, more| [more.to_string()])]
async fn conditional(#[cfg(all())] more: u8) -> u8 {
    0
}

#[redis_cached(key = "h", tags = |value: &u8, id| [id.to_string()])]
async fn no_arguments() -> u8 {
    0
}

fn main() {}
