//! Functions over many ids: every list, every return type, every receiver, every kind of argument.
#![deny(warnings)]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cached_core::{Cache, CacheEvent, CacheKey, redis_cached};
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
struct User {
    id: u64,
    name: String,
}

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[derive(CacheEvent)]
struct Moved {
    tenant: String,
    id: u64,
}

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, CacheKey)]
struct Address {
    street: String,
    number: u16,
}

type Found<T> = Result<HashMap<u64, T>, String>;
type UserIds<'a> = &'a [u64];

#[redis_cached(key = "plain:<id>", batch = ids)]
async fn plain(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[redis_cached(key = "alias:<id>", batch = ids)]
async fn aliases(ids: UserIds<'_>) -> Found<User> {
    let first = ids.first().ok_or("none")?;
    Ok(HashMap::from([(*first, User { id: *first, name: String::new() })]))
}

#[redis_cached(key = "owned:<one>", batch = users)]
async fn owned(mut users: Vec<u64>) -> Result<BTreeMap<u64, Arc<str>>, String> {
    users.sort_unstable();
    Ok(users.into_iter().map(|id| (id, id.to_string().into())).collect())
}

#[redis_cached(key = "list:<name>", batch = names)]
async fn list(names: &[&str]) -> Vec<Option<usize>> {
    names.iter().map(|name| Some(name.len())).collect()
}

#[redis_cached(key = "borrowed:<name:hash>", batch = names)]
async fn borrowed<'a>(names: &[&'a str]) -> Result<HashMap<&'a str, usize>, String> {
    Ok(names.iter().map(|name| (*name, name.len())).collect())
}

// All items of a tuple are the whole of it: the entries are those of a function over `(shelf, place)`.
#[redis_cached(key = "book:<at.0>:<at.1>", batch = places)]
async fn books(places: &[(u8, u16)]) -> Vec<Option<String>> {
    places.iter().map(|(shelf, place)| Some(format!("{shelf} {place}"))).collect()
}

#[redis_cached(
    key = "<tenant>:address:<at.street>:<at.number>",
    batch = addresses,
    skip(db, at),
    ttl = |name: &String| std::time::Duration::from_secs(name.len() as u64),
    none_ttl = "5s",
    cache_if = |name: &String| !name.is_empty(),
    tags = ["street:<at.street>", |name: &String| [format!("name:{name}")]],
    invalidate_on = Moved { tenant: tenant.clone(), id: at.number.into() },
    version = 2,
    codec = "msgpack",
    local = "30s",
    on_gap = "serve",
)]
async fn all_options(db: &str, tenant: String, addresses: &[Address]) -> Result<BTreeMap<Address, String>, String> {
    let _ = (db, tenant);
    Ok(addresses.iter().map(|at| (at.clone(), at.street.clone())).collect())
}

struct Repo<T> {
    cache: Cache,
    value: T,
    runs: u32,
}

impl<T: Clone + Send + Sync> Repo<T> {
    #[redis_cached(key = "user:<id>", batch = ids, invalidate_on = UserUpdated { id }, cache = self.cache)]
    async fn shared(&self, ids: &[u64]) -> Found<User> {
        let _ = &self.value;
        Ok(ids.iter().map(|id| (*id, User { id: *id, name: String::new() })).collect())
    }

    #[redis_cached(key = "mut:<id>", batch = ids, cache = self.cache, skip(seen), uncommitted = "allow")]
    async fn exclusive(&mut self, ids: &[u64], seen: &mut Vec<u64>) -> HashMap<u64, u64> {
        self.runs += 1;
        seen.extend(ids);
        ids.iter().map(|id| (*id, *id)).collect()
    }

    #[redis_cached(key = "arc:<id>", batch = ids, cache = self.cache)]
    async fn arc(self: Arc<Self>, ids: &[u64]) -> HashMap<u64, u32> {
        ids.iter().map(|id| (*id, self.runs)).collect()
    }
}

#[async_trait::async_trait]
trait Boxed {
    async fn find(&self, ids: &[u64], lang: &str) -> Found<u64>;
}

#[async_trait::async_trait]
impl Boxed for Repo<u8> {
    #[redis_cached(key = "boxed:<lang>:<id>", batch = ids, cache = self.cache)]
    async fn find(&self, ids: &[u64], lang: &str) -> Found<u64> {
        let _ = self.runs;
        Ok(ids.iter().map(|id| (*id, lang.len() as u64)).collect())
    }
}

// An argument that a pattern binds, one that the body consumes, and one that it does not use.
#[redis_cached(key = "pattern:<a>:<name>:<id>", batch = ids, skip(_unused))]
async fn patterns((a, _): (u64, u64), name: String, _unused: u8, ids: &[u64]) -> HashMap<u64, String> {
    std::future::ready(()).await;
    let consumed = name;
    ids.iter().map(|id| (*id, format!("{consumed}{a}"))).collect()
}

fn is_send<T: Send>(_: T) {}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut repo = Repo { cache: Cache::memory(), value: 1_u8, runs: 0 };
    let scope = repo.cache.clone();
    let address = Address { street: "Main".to_owned(), number: 1 };
    scope
        .scope(async {
            assert_eq!(plain(&[1, 2]).await.len(), 2);
            assert_eq!(aliases(&[1, 2]).await.unwrap().len(), 1);
            assert_eq!(owned(vec![2, 1]).await.unwrap().len(), 2);
            assert_eq!(list(&["a", "bb", "a"]).await, [Some(1), Some(2), Some(1)]);
            assert_eq!(borrowed(&["a"]).await.unwrap()["a"], 1);
            assert_eq!(all_options("", "t".to_owned(), &[address]).await.unwrap().len(), 1);
            assert_eq!(repo.shared(&[1]).await.unwrap()[&1].id, 1);
            let mut seen = Vec::new();
            assert_eq!(repo.exclusive(&[1, 2], &mut seen).await.len(), 2);
            assert_eq!((seen, repo.runs), (vec![1, 2], 1));
            assert_eq!(repo.find(&[1], "en").await.unwrap()[&1], 2);
            assert_eq!(patterns((1, 2), "n".to_owned(), 0, &[3]).await[&3], "n1");
            is_send(repo.shared(&[1]));
            is_send(all_options("", String::new(), &[]));
            assert_eq!(Arc::new(repo).arc(&[1]).await[&1], 1);
        })
        .await;
    assert!(plain(&[]).await.is_empty(), "without a cache");
    assert_eq!(list(&["a", "bb"]).await, [Some(1), Some(2)]);
}
