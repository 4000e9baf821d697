#![allow(unused)]

use cached_core::{CacheEvent, redis_cached};

#[derive(CacheEvent)]
#[event(by(tenant))]
struct UserUpdated {
    tenant: u64,
    id: u64,
}

#[redis_cached(key = "misspelt:<tenant>", invalidate_on = UserUpdated { tenat: tenant, .. })]
async fn misspelt(tenant: u64) -> u64 {
    tenant
}

#[redis_cached(key = "wrong-type:<tenant>", invalidate_on = UserUpdated { tenant, .. })]
async fn wrong_type(tenant: &str) -> u64 {
    0
}

#[redis_cached(key = "twice:<tenant>", invalidate_on = UserUpdated { tenant, tenant: 7, .. })]
async fn twice(tenant: u64) -> u64 {
    tenant
}

#[redis_cached(key = "no-argument:<user>", invalidate_on = UserUpdated { tenant, .. })]
async fn no_argument(user: u64) -> u64 {
    user
}

fn main() {}
