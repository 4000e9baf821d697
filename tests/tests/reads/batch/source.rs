//! The source behind the functions under test, and the functions.

use cached_core::{Cache, CacheBuilder, CacheEvent, SiteStats, redis_cached};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tests::{RedisServer, eventually};
use tokio::sync::watch;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: u64,
    pub(crate) name: String,
}

pub(crate) fn user(id: u64) -> User {
    User { id, name: format!("user {id}") }
}

pub(crate) fn users(ids: impl IntoIterator<Item = u64>) -> HashMap<u64, User> {
    ids.into_iter().map(|id| (id, user(id))).collect()
}

#[derive(Debug, CacheEvent)]
pub(crate) struct UserUpdated {
    pub(crate) id: u64,
}

/// Users, and the loads that ask for them.
pub(crate) struct Source {
    pub(crate) cache: Cache,
    server: Option<RedisServer>,
    /// Users that differ from `user(id)`; `None` is nobody.
    rows: Mutex<HashMap<u64, Option<User>>>,
    asked: Mutex<Vec<Vec<u64>>>,
    is_open: watch::Sender<bool>,
    pub(crate) fails: AtomicBool,
}

impl Source {
    pub(crate) fn of(cache: Cache) -> Self {
        Self {
            cache,
            server: None,
            rows: Mutex::default(),
            asked: Mutex::default(),
            is_open: watch::Sender::new(true),
            fails: AtomicBool::new(false),
        }
    }

    pub(crate) fn memory() -> Self {
        Self::of(patient(Cache::builder()))
    }

    pub(crate) fn redis() -> Self {
        let server = RedisServer::start();
        let cache = patient(Cache::builder().namespace("cache").redis(server.url()));
        Self { server: Some(server), ..Self::of(cache) }
    }

    pub(crate) fn server(&self) -> &RedisServer {
        self.server.as_ref().unwrap()
    }

    pub(crate) fn set(&self, id: u64, row: Option<User>) {
        self.rows.lock().unwrap().insert(id, row);
    }

    /// The ids of each load since this was last called.
    pub(crate) fn asked(&self) -> Vec<Vec<u64>> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// From now on loads do not end.
    pub(crate) fn close(&self) {
        self.is_open.send_replace(false);
    }

    pub(crate) fn open(&self) {
        self.is_open.send_replace(true);
    }

    /// Waits until this number of loads have begun.
    pub(crate) async fn loading(&self, loads: usize) {
        eventually("loads have begun", async || self.asked.lock().unwrap().len() >= loads).await;
    }

    pub(crate) fn stats(&self, site: &str) -> SiteStats {
        self.cache.stats().site(site).unwrap().clone()
    }

    async fn read(&self, ids: &[u64]) -> Result<Vec<Option<User>>, String> {
        // The rows as they are when the load begins.
        let found: Vec<_> = {
            let rows = self.rows.lock().unwrap();
            ids.iter().map(|id| rows.get(id).cloned().unwrap_or_else(|| Some(user(*id)))).collect()
        };
        let fails = self.fails.load(Ordering::SeqCst);
        self.asked.lock().unwrap().push(ids.to_vec());
        tokio::task::yield_now().await;
        self.is_open.subscribe().wait_for(|is_open| *is_open).await.unwrap();
        if fails { Err("no database".to_owned()) } else { Ok(found) }
    }

    async fn map(&self, ids: &[u64]) -> Result<HashMap<u64, User>, String> {
        let found = self.read(ids).await?;
        Ok(ids.iter().zip(found).filter_map(|(id, user)| Some((*id, user?))).collect())
    }

    #[redis_cached(key = "user:<id>", cache = self.cache)]
    pub(crate) async fn find(&self, id: u64) -> Result<Option<User>, String> {
        Ok(self.read(&[id]).await?.remove(0))
    }

    #[redis_cached(key = "user:<id>", batch = ids, cache = self.cache)]
    pub(crate) async fn find_many(&self, ids: &[u64]) -> Result<HashMap<u64, User>, String> {
        self.map(ids).await
    }

    #[redis_cached(key = "user:<id>", batch = ids, cache = self.cache)]
    pub(crate) async fn find_all(&self, ids: Vec<u64>) -> Result<Vec<Option<User>>, String> {
        self.read(&ids).await
    }

    #[redis_cached(key = "sorted:<id>", batch = ids, cache = self.cache, none_ttl = "off")]
    pub(crate) async fn sorted(&self, ids: &[u64]) -> BTreeMap<u64, User> {
        self.map(ids).await.unwrap_or_default().into_iter().collect()
    }

    /// With an event and two tags, one of which only the value names.
    #[redis_cached(
        key = "<tenant>:tagged:<id>", batch = ids, cache = self.cache, invalidate_on = UserUpdated { id },
        tags = ["tenant:<tenant>", |user: &User| [format!("name:{}", user.name)]],
    )]
    pub(crate) async fn tagged(&self, tenant: u64, ids: &[u64]) -> Result<HashMap<u64, User>, String> {
        self.map(ids).await
    }

    #[redis_cached(
        key = "<tenant>:tagged:<id>", cache = self.cache, invalidate_on = UserUpdated { id },
        tags = ["tenant:<tenant>", |user: &User| [format!("name:{}", user.name)]],
    )]
    pub(crate) async fn tagged_one(&self, tenant: u64, id: u64) -> Result<Option<User>, String> {
        Ok(self.read(&[id]).await?.remove(0))
    }

    #[redis_cached(key = "listens:<id>", batch = ids, cache = self.cache, invalidate_on = UserUpdated { id: *id })]
    pub(crate) async fn listens(&self, ids: &[u64]) -> Result<HashMap<u64, User>, String> {
        self.map(ids).await
    }

    #[redis_cached(key = "near:<id>", batch = ids, cache = self.cache, local = "30s")]
    pub(crate) async fn near(&self, ids: &[u64]) -> Result<HashMap<u64, Arc<User>>, String> {
        Ok(self.map(ids).await?.into_iter().map(|(id, user)| (id, Arc::new(user))).collect())
    }

    #[redis_cached(key = "near:<id>", cache = self.cache, local = "30s")]
    pub(crate) async fn near_one(&self, id: u64) -> Result<Option<User>, String> {
        Ok(self.read(&[id]).await?.remove(0))
    }

    #[redis_cached(key = "near:<id>", cache = self.cache, local = "5s")]
    pub(crate) async fn near_briefly(&self, id: u64) -> Result<Option<User>, String> {
        Ok(self.read(&[id]).await?.remove(0))
    }

    #[redis_cached(
        key = "policy:<id>", batch = ids, cache = self.cache, ttl = |user: &User| Duration::from_secs(user.id),
        cache_if = |user: &User| user.id.is_multiple_of(2), jitter = 0, version = 2, codec = "msgpack",
    )]
    pub(crate) async fn policy(&self, ids: &[u64]) -> Result<HashMap<u64, User>, String> {
        self.map(ids).await
    }

    /// Asks one by one for what it is loading itself.
    #[redis_cached(key = "user:<id>", batch = ids, cache = self.cache)]
    pub(crate) async fn asks_back(&self, ids: &[u64]) -> Result<HashMap<u64, User>, String> {
        let mut found = HashMap::new();
        for id in ids {
            found.extend(self.find(*id).await?.map(|user| (*id, user)));
        }
        Ok(found)
    }

    /// Asks a batch that contains its own id.
    #[redis_cached(key = "user:<id>", cache = self.cache)]
    pub(crate) async fn asks_batch(&self, id: u64) -> Result<Option<User>, String> {
        Ok(self.find_many(&[id, id + 1]).await?.remove(&id))
    }

    /// Returns more, and fewer, than it is asked for.
    #[redis_cached(key = "user:<id>", batch = ids, cache = self.cache)]
    pub(crate) async fn unruly(&self, ids: &[u64]) -> Result<HashMap<u64, User>, String> {
        let mut found = self.map(ids).await?;
        found.insert(999, user(999));
        Ok(found)
    }

    #[redis_cached(key = "user:<id>", batch = ids, cache = self.cache)]
    pub(crate) async fn too_few(&self, ids: &[u64]) -> Result<Vec<Option<User>>, String> {
        let mut found = self.read(ids).await?;
        found.pop();
        Ok(found)
    }

    #[redis_cached(key = "user:<id>", batch = ids, cache = self.cache)]
    pub(crate) async fn panics(&self, ids: &[u64]) -> Result<HashMap<u64, User>, String> {
        self.map(ids).await?;
        panic!("as it is meant to")
    }
}

/// Many concurrent keys in a debug build on a busy machine are not a fault of the store.
fn patient(builder: CacheBuilder) -> Cache {
    builder.budget(Duration::from_secs(60)).lease_ttl(Duration::from_secs(600)).build().unwrap()
}

/// The same test on both stores.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod in_memory {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::batch::source::Source::memory()).await;
            })*
        }

        mod on_redis {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::batch::source::Source::redis()).await;
            })*
        }
    };
}
pub(crate) use on_both;
