//! The crate `cachekit-rs`: `#[cachekit]` on a client of its preset `production`.
//!
//! It is measured twice: as in the preset, with its near cache of 1,000 entries (`cachekit-near`: its hits do not ask
//! Redis), and without it, like all others here. Its client is fred, through which `TCP_NODELAY` cannot be set.

use super::Subject;
use crate::user::{User, load};
use ::cachekit::{CacheKit as Client, CachekitError, cachekit};

#[cachekit(client = client, ttl = 600, interop = "find_user", namespace = "bench")]
async fn find_user(client: &Client, id: u64) -> Result<User, CachekitError> {
    Ok(load(id).await)
}

#[cachekit(client = client, ttl = 600, interop = "find_user", namespace = "near")]
async fn find_user_near(client: &Client, id: u64) -> Result<User, CachekitError> {
    Ok(load(id).await)
}

#[derive(Clone)]
pub(crate) struct CacheKit(Client);

impl CacheKit {
    pub(crate) async fn connect(url: &str) -> Self {
        let client = Client::production(url).await.expect("the server answers").no_l1();
        Self(client.build().expect("the preset is sound"))
    }
}

impl Subject for CacheKit {
    const NAME: &'static str = "cachekit";

    async fn find(&self, id: u64) -> User {
        find_user(&self.0, id).await.expect("the server answers")
    }
}

#[derive(Clone)]
pub(crate) struct CacheKitNear(Client);

impl CacheKitNear {
    pub(crate) async fn connect(url: &str) -> Self {
        let client = Client::production(url).await.expect("the server answers");
        Self(client.build().expect("the preset is sound"))
    }
}

impl Subject for CacheKitNear {
    const NAME: &'static str = "cachekit-near";

    async fn find(&self, id: u64) -> User {
        find_user_near(&self.0, id).await.expect("the server answers")
    }
}
