#![allow(unused)]

use cached_core::redis_cached;

#[redis_cached(key = "user:<tenant>:<id>", tags = |user: &u64| [format!("x"), tenant.to_string(), user.to_string()])]
async fn find(tenant: u64, id: u64) -> u64 {
    id
}

struct Repo {
    tenant: u64,
}

impl Repo {
    #[redis_cached(key = "user:<id>", tags = ["a", |_: &u64| [self.tenant.to_string()]])]
    async fn find(&self, id: u64) -> u64 {
        id
    }
}

fn main() {}
