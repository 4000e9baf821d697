//! The function that `#[async_trait]` leaves: it is not async and returns a boxed block.

#![deny(warnings)]

use std::sync::Arc;

use async_trait::async_trait;
use cached_core::{CacheEvent, redis_cached, redis_invalidate, redis_put};

struct Db;

impl Db {
    async fn load(&self, id: u64) -> Result<u64, String> {
        id.checked_add(1).ok_or_else(|| "overflow".to_owned())
    }
}

#[async_trait]
trait Users {
    fn tenant(&self) -> u64;

    async fn find(&self, db: &Db, id: u64) -> Result<Option<u64>, String>;

    async fn pair(&self, pair: (u64, u64), unused: u8) -> u64;

    async fn exclusive(&mut self, id: u64) -> Option<u64>;

    async fn shared(self: Arc<Self>, name: &str) -> String;

    // In a default method `Self` is not sized.
    #[redis_cached(key = "twice:<id>")]
    async fn twice(&self, id: u64) -> u64 {
        self.tenant() + id * 2
    }

    async fn generic<T: Into<u64> + Send + Copy>(&self, value: T) -> u64
    where
        Self: Sized;
}

struct Repo {
    tenant: u64,
    loads: u64,
}

impl Repo {
    const OFFSET: u64 = 1;
}

#[async_trait]
impl Users for Repo {
    fn tenant(&self) -> u64 {
        self.tenant
    }

    #[redis_cached(key = "user:<self.tenant>:<id>", skip(db), ttl = "5m")]
    async fn find(&self, db: &Db, mut id: u64) -> Result<Option<u64>, String> {
        id += Self::OFFSET;
        let found = db.load(id).await?;
        if found == 0 {
            return Ok(None);
        }
        Ok(Some(found + self.tenant))
    }

    #[redis_cached(key = "pair:<a>:<b>")]
    async fn pair(&self, (a, mut b): (u64, u64), _: u8) -> u64 {
        b += 1;
        a + b
    }

    #[redis_cached(key = "exclusive:<self.tenant>:<id>")]
    async fn exclusive(&mut self, id: u64) -> Option<u64> {
        self.loads += 1;
        Some(self.loads + id)
    }

    #[redis_cached(key = "shared:<self.tenant>:<name>")]
    async fn shared(self: Arc<Self>, name: &str) -> String {
        format!("{} {name}", self.tenant)
    }

    #[redis_cached(key = "generic:<T>", skip(value))]
    async fn generic<T: Into<u64> + Send + Copy>(&self, value: T) -> u64 {
        value.into() + self.tenant
    }
}

#[derive(CacheEvent)]
struct Updated {
    id: u64,
}

#[async_trait]
trait Writes {
    fn tenant(&self) -> u64;

    async fn update(&mut self, db: &Db, id: u64) -> Result<u64, String>;

    async fn nothing(&self, pair: (u64, u64), unused: u8);

    async fn after(self: Arc<Self>, name: String) -> Result<String, String>;

    async fn borrowed<'a>(&'a self, name: &'a str) -> &'a str;

    // In a default method `Self` is not sized.
    #[redis_invalidate(Updated { id: self.tenant() })]
    async fn twice(&self, id: u64) -> u64 {
        self.tenant() + id * 2
    }

    async fn put<T: Into<u64> + Send>(&self, value: T, id: u64) -> Option<u64>
    where
        Self: Sized;
}

#[async_trait]
impl Writes for Repo {
    fn tenant(&self) -> u64 {
        self.tenant
    }

    #[redis_invalidate(Updated { id }, key = "user:<self.tenant>:<id>")]
    async fn update(&mut self, db: &Db, mut id: u64) -> Result<u64, String> {
        id += Self::OFFSET;
        self.loads += db.load(id).await?;
        Ok(self.loads)
    }

    #[redis_invalidate(Updated { id: a }, tag = "<self.tenant>:<b>")]
    async fn nothing(&self, (a, mut b): (u64, u64), _: u8) {
        b += a;
        if b == 0 {
            return;
        }
        std::future::ready(()).await;
    }

    #[redis_invalidate(Updated { id: ret.len() as u64 }, Updated { id: self.tenant }, key = "<name>", tag = "<name>:<ret>", mode = "after")]
    async fn after(self: Arc<Self>, name: String) -> Result<String, String> {
        Ok(name)
    }

    #[redis_invalidate(tag = "<name>")]
    async fn borrowed<'a>(&'a self, name: &'a str) -> &'a str {
        name
    }

    #[redis_put(key = "<T>:<self.tenant>:<id>", Updated { id })]
    async fn put<T: Into<u64> + Send>(&self, value: T, id: u64) -> Option<u64> {
        Some(value.into() + id)
    }
}

#[async_trait(?Send)]
trait Local {
    async fn local(&self, id: u64) -> u64;

    async fn write(&self, id: u64);
}

#[async_trait(?Send)]
impl Local for Repo {
    #[redis_cached]
    async fn local(&self, id: u64) -> u64 {
        let id = std::rc::Rc::new(id);
        std::future::ready(()).await;
        *id
    }

    #[redis_invalidate(Updated { id })]
    async fn write(&self, id: u64) {
        let _id = std::rc::Rc::new(id);
        std::future::ready(()).await;
    }
}

fn main() {
    fn send<T: Send>(_: T) {}
    let repo = Repo { tenant: 1, loads: 0 };
    send(repo.find(&Db, 1));
    send(Users::twice(&repo, 1));
    drop(repo.local(1));
    drop(repo.write(1));
    send(repo.nothing((1, 2), 3));
    send(repo.borrowed("a"));
    send(repo.put(1u8, 2));
}
