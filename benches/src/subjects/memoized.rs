//! The crate `cached`: `#[concurrent_cached]` over its `AsyncRedisCache`.
//!
//! It makes its connection from the URL alone, so `TCP_NODELAY` cannot be set. Concurrent misses are not merged:
//! `sync_writes` is not supported on `#[concurrent_cached]`.

use super::Subject;
use crate::user::{User, load};
use cached::AsyncRedisCache;
use cached::macros::concurrent_cached;
use std::sync::OnceLock;
use std::time::Duration;

/// The macro makes its store on the first call, in a `static`.
static URL: OnceLock<String> = OnceLock::new();

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failed(String);

#[concurrent_cached(
    map_error = |error| Failed(error.to_string()),
    ty = "AsyncRedisCache<u64, User>",
    create = {
        AsyncRedisCache::builder("user")
            .ttl(Duration::from_secs(600))
            .connection_string(URL.get().expect("set by `connect`"))
            .build()
            .await
            .expect("the server answers")
    }
)]
async fn find_user(id: u64) -> Result<User, Failed> {
    Ok(load(id).await)
}

#[derive(Debug, Clone)]
pub(crate) struct Memoized;

impl Memoized {
    pub(crate) fn connect(url: &str) -> Self {
        URL.get_or_init(|| url.to_owned());
        Self
    }
}

impl Subject for Memoized {
    const NAME: &'static str = "cached";

    async fn find(&self, id: u64) -> User {
        find_user(id).await.expect("the server answers")
    }
}
