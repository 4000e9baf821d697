//! Loads that may be tasks: every way to capture an argument, and every option about values past their end.

use std::sync::Arc;

use async_trait::async_trait;
use cached_core::redis_cached;

#[derive(Clone)]
struct Db {
    name: Arc<str>,
}

impl Db {
    async fn find(&self, id: u64) -> String {
        std::future::ready(()).await;
        format!("{}{id}", self.name)
    }
}

#[redis_cached(key = "a:<id>", ttl = "1m", stale_while_revalidate = "5m", stale_if_error = "1h", refresh_ahead)]
async fn foreground(id: &mut u64) -> Result<String, String> {
    Ok(id.to_string())
}

#[redis_cached(key = "b:<id>", refresh_ahead = 1.5, refresh = "foreground", local = "1m", ttl = "1m")]
async fn ahead(id: u64) -> u64 {
    id
}

#[redis_cached(key = "c:<id>:<name>:<ids:hash>", skip(db, _span), stale_while_revalidate = "5m", refresh = "background")]
async fn borrowed(db: &Db, id: u64, name: &str, ids: &[u64], _span: &String) -> Result<String, String> {
    Ok(db.find(id).await + name + &ids.len().to_string())
}

#[redis_cached(key = "d:<a>:<b>:<c>", spawn, stale_if_error = "1h", load_timeout = "200ms")]
async fn patterns((a, mut b): (u64, u64), mut c: Vec<u64>, _: String) -> u64 {
    b += 1;
    c.push(b);
    a + c.len() as u64
}

#[redis_cached(key = "e:<T>:<id>", skip(of), spawn)]
async fn generic<T: Clone + Send + Sync + ToString + 'static>(of: &T, id: impl Send + Sync + ToString + cached_core::KeySegment + 'static) -> String
{
    of.to_string() + &id.to_string()
}

#[redis_cached(spawn)]
async fn unused(id: u64, name: &str) -> u64 {
    1
}

#[redis_cached(key = "i:<id>", skip(extra, missing), spawn)]
async fn by_configuration(id: u64, #[cfg(all())] extra: &str, #[cfg(any())] missing: &str) -> usize {
    extra.len()
}

#[derive(Clone)]
struct Repo {
    db: Db,
    tenant: u64,
}

macro_rules! name_of {
    ($repo:expr) => {
        $repo.db.name.to_string()
    };
}

impl Repo {
    async fn raw(&self, id: u64) -> String {
        self.db.find(id + self.tenant).await
    }

    #[redis_cached(key = "f:<self.tenant>:<id>", stale_while_revalidate = "5m", refresh = "background", spawn)]
    async fn find(&self, id: u64) -> Result<String, std::num::ParseIntError> {
        // Nested items have a `self` of their own.
        struct Inner(u64);
        impl Inner {
            fn get(&self) -> u64 {
                self.0
            }
        }
        let closure = |id: u64| self.tenant + id;
        let parsed: u64 = "1".parse()?;
        println!("{}", self.tenant);
        let found = self.raw(closure(Inner(id).get() + parsed)).await;
        Ok(found + &name_of!(self) + &format!("{}", Self::limit(self)))
    }

    fn limit(&self) -> u64 {
        self.tenant
    }

    #[redis_cached(key = "g:<self.tenant>:<id>", spawn)]
    async fn shared(self: Arc<Self>, id: u64) -> String {
        self.raw(id).await
    }

    #[redis_cached(key = "h:<self.tenant>:<id>", spawn)]
    async fn shared_by_reference(self: &Arc<Self>, id: u64) -> String {
        self.raw(id).await
    }

    #[redis_cached(key = "j:<self.tenant>:<id>", spawn)]
    async fn consumed(mut self, id: u64) -> String {
        self.tenant += 1;
        self.raw(id).await
    }
}

#[async_trait]
trait Finds {
    async fn find(&self, db: &Db, id: u64, pair: (u64, u64)) -> Result<String, String>;
}

#[async_trait]
impl Finds for Repo {
    #[redis_cached(key = "k:<id>:<a>:<self.tenant>", skip(db, b), stale_while_revalidate = "5m", refresh = "background")]
    async fn find(&self, db: &Db, id: u64, (a, b): (u64, u64)) -> Result<String, String> {
        Ok(self.raw(id + a).await + &db.find(b).await)
    }
}

trait Native {
    fn find(&self, id: u64) -> impl Future<Output = String> + Send;
}

impl Native for Repo {
    #[redis_cached(key = "l:<id>:<self.tenant>", spawn)]
    async fn find(&self, id: u64) -> String {
        self.raw(id).await
    }
}

macro_rules! cached {
    ($name:ident, $receiver:ident, $id:ident, $body:block) => {
        impl Repo {
            #[redis_cached(key = "m:<self.tenant>:<id>", spawn)]
            async fn $name(&$receiver, $id: u64) -> String $body
        }
    };
}

cached!(by_macro, self, id, { self.raw(id).await });

fn is_send<T: Send>(_: &T) {}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let db = Db { name: "db".into() };
    let repo = Repo { db: db.clone(), tenant: 1 };
    assert_eq!(foreground(&mut 1).await.unwrap(), "1");
    assert_eq!(ahead(1).await, 1);
    assert_eq!(borrowed(&db, 1, "n", &[1, 2], &String::new()).await.unwrap(), "db1n2");
    assert_eq!(patterns((1, 2), vec![], String::new()).await, 2);
    assert_eq!(generic(&1_u64, 2_u64).await, "12");
    assert_eq!(unused(1, "").await, 1);
    assert_eq!(by_configuration(1, "ab").await, 2);
    assert_eq!(repo.find(1).await.unwrap(), "db4db1");
    assert_eq!(Arc::new(repo.clone()).shared(1).await, "db2");
    assert_eq!(Arc::new(repo.clone()).shared_by_reference(1).await, "db2");
    assert_eq!(repo.clone().consumed(1).await, "db3");
    assert_eq!(Finds::find(&repo, &db, 1, (1, 2)).await.unwrap(), "db3db2");
    assert_eq!(Native::find(&repo, 1).await, "db2");
    assert_eq!(repo.by_macro(1).await, "db2");
    is_send(&repo.find(1));
}
