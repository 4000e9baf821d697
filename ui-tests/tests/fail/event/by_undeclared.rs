#![allow(unused)]

use cached_core::{CacheEvent, redis_cached, redis_put};

#[derive(CacheEvent)]
struct UserUpdated {
    tenant: u64,
    id: u64,
}

mod events {
    #[derive(cached_core::CacheEvent)]
    #[event(by(tenant))]
    pub struct Moved {
        pub tenant: u64,
        pub country: u64,
        pub id: u64,
    }
}

#[redis_cached(key = "users:<tenant>", invalidate_on = UserUpdated { tenant, .. })]
async fn users(tenant: u64) -> u64 {
    tenant
}

#[redis_cached(
    key = "moved:<tenant>:<country>",
    invalidate_on = [events::Moved { tenant, .. }, events::Moved { tenant, country: country + 1, .. }]
)]
async fn moved(tenant: u64, country: u64) -> u64 {
    tenant
}

#[redis_put(key = "user:<tenant>:<id>", invalidate_on = UserUpdated { tenant, id, .. })]
async fn save(tenant: u64, id: u64) -> u64 {
    id
}

fn main() {}
