//! The crate `hitbox`: `#[cached]` of `hitbox-fn` over `hitbox-redis`, with the concurrency manager that its
//! documentation recommends for production.
//!
//! Its backend makes its connection from the URL alone, so `TCP_NODELAY` cannot be set.

use super::Subject;
use crate::user::{User, load};
use hitbox::concurrency::BroadcastConcurrencyManager;
use hitbox::policy::{ConcurrencyLimit, PolicyConfig};
use hitbox_fn::{Cache, cached};
use hitbox_redis::{ConnectionMode, RedisBackend};
use std::convert::Infallible;
use std::time::Duration;

type Found = Result<User, Infallible>;

#[cached(prefix = "user")]
async fn find_user(id: u64) -> Found {
    Ok(load(id).await)
}

#[derive(Clone)]
pub(crate) struct Hitbox {
    cache: Cache<RedisBackend, BroadcastConcurrencyManager<Found>>,
}

impl Hitbox {
    pub(crate) fn connect(url: &str) -> Self {
        let backend =
            RedisBackend::builder().connection(ConnectionMode::single(url)).build().expect("the settings are sound");
        let one_load = ConcurrencyLimit::new(1).expect("1 is in its range");
        let policy = PolicyConfig::builder().ttl(Duration::from_secs(600)).concurrency(one_load).build();
        let manager = BroadcastConcurrencyManager::new();
        Self { cache: Cache::builder().backend(backend).policy(policy).concurrency_manager(manager).build() }
    }
}

impl Subject for Hitbox {
    const NAME: &'static str = "hitbox";

    async fn find(&self, id: u64) -> User {
        find_user(id).cache(&self.cache).await.expect("it cannot fail")
    }
}
