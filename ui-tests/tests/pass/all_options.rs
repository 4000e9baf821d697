//! Every option, in every form.

use std::sync::Arc;
use std::time::Duration;

use cached_core::{Cache, redis_cached};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct User {
    active: bool,
    age: u64,
}

impl User {
    fn lifetime(&self) -> Duration {
        Duration::from_secs(self.age)
    }

    fn is_active(&self) -> bool {
        self.active
    }
}

struct Repo {
    cache: Cache,
    shared: Arc<Cache>,
    ttl: Duration,
}

impl Repo {
    #[redis_cached(
        key = "user:<id>:<lang>",
        skip(db),
        ttl = "medium",
        jitter = 0,
        none_ttl = "short",
        cache_if = |user| user.active,
        version = 2,
        codec = "msgpack",
        cache = self.cache,
        crate = ::cached_core,
    )]
    async fn find(&self, db: &str, id: u64, lang: &str) -> Result<Option<User>, String> {
        Err(format!("{db} {id} {lang}"))
    }

    #[redis_cached(ttl = self.ttl, cache = &self.cache)]
    async fn of_self(&self, id: u64) -> u64 {
        id
    }

    #[redis_cached(cache = self.shared)]
    async fn shared(&self) -> u64 {
        1
    }
}

#[redis_cached(ttl = |user: &User| user.lifetime(), cache_if = User::is_active, codec = "postcard")]
async fn of_value(id: u64) -> Option<User> {
    Some(User { active: true, age: id })
}

#[redis_cached(ttl = { let seconds = id * 60; Duration::from_secs(seconds) }, jitter = 0.0, none_ttl = "off")]
async fn of_arguments(id: u64) -> Option<u64> {
    Some(id)
}

#[redis_cached(ttl = "1h30m", none_ttl = "250ms")]
async fn durations(id: u64) -> Option<u64> {
    Some(id)
}

#[redis_cached()]
async fn none() -> u64 {
    1
}

#[redis_cached(cache = if id > 1 { a } else { b }, skip(a, b))]
async fn chosen(a: &Cache, b: &Cache, id: u64) -> u64 {
    id
}

fn main() {}
