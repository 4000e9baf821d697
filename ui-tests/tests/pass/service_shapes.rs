//! Types and places that a real service has.

#![allow(dead_code, non_upper_case_globals)]

use cached_core::{Cache, CacheEvent, CacheKey, redis_cached, redis_invalidate, redis_put};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::error::Error;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

type BoxError = Box<dyn Error + Send + Sync>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct User {
    id: u64,
    tags: Vec<String>,
    more: HashMap<String, Field>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Field {
    Null,
    Number(f64),
    List(Vec<Field>),
    Object(BTreeMap<String, Field>),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, CacheKey)]
struct UserId(NonZeroU64);

#[derive(CacheEvent)]
struct UserUpdated {
    id: UserId,
}

macro_rules! large {
    ($($name:ident)*) => {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, CacheKey)]
        enum Large {
            $($name { a: u64, b: Option<String> },)*
        }
    };
}
large!(A0 A1 A2 A3 A4 A5 A6 A7 A8 A9 B0 B1 B2 B3 B4 B5 B6 B7 B8 B9 C0 C1 C2 C3 C4 C5 C6 C7 C8 C9
    D0 D1 D2 D3 D4 D5 D6 D7 D8 D9 E0 E1 E2 E3 E4 E5 E6 E7 E8 E9 F0 F1 F2 F3 F4 F5 F6 F7 F8 F9
    G0 G1 G2 G3 G4 G5 G6 G7 G8 G9 H0 H1 H2 H3 H4 H5 H6 H7 H8 H9 I0 I1 I2 I3 I4 I5 I6 I7 I8 I9
    J0 J1 J2 J3 J4 J5 J6 J7 J8 J9 K0 K1 K2 K3 K4 K5 K6 K7 K8 K9 L0 L1 L2 L3 L4 L5 L6 L7 L8 L9);

#[redis_cached(key = "large:<which>")]
async fn large(which: Large) -> Result<Vec<Large>, BoxError> {
    Ok(vec![which.clone(), which])
}

#[derive(CacheKey)]
struct Filter<'a> {
    text: &'a str,
    lang: Cow<'a, str>,
    ids: &'a [NonZeroU32],
    labels: HashSet<String>,
}

#[redis_cached(key = "search:<filter:hash>")]
async fn search(filter: &Filter<'_>) -> Result<Vec<User>, BoxError> {
    Err(filter.text.into())
}

#[redis_cached(key = "search-by:<filter>")]
async fn search_by<'a>(filter: Filter<'a>) -> Result<Vec<u8>, Box<dyn Error>> {
    Ok(filter.text.as_bytes().to_vec())
}

#[redis_cached(key = "name:<name>:<other>")]
async fn cow(name: Cow<'_, str>, other: Option<&str>) -> Result<Cow<'static, str>, BoxError> {
    Ok(format!("{name}{other:?}").into())
}

struct Pool;
struct Connection;

#[redis_cached(key = "user:<id>", skip(pool), invalidate_on = UserUpdated { id })]
async fn by_pool(pool: &Pool, id: UserId) -> Result<Option<User>, BoxError> {
    let Pool = pool;
    if id.0.get() == 0 { Err("zero")? } else { Ok(None) }
}

#[redis_invalidate(UserUpdated { id }, uncommitted = "allow")]
async fn rename(connection: &mut Connection, id: UserId, name: &str) -> Result<(), BoxError> {
    let Connection = connection;
    name.is_empty().then(|| id.0.get()).map_or(Ok(()), |id| Err(id.to_string().into()))
}

#[redis_put(key = "user:<user.id>", uncommitted = "allow")]
async fn save(connection: &mut Connection, user: User) -> Result<User, BoxError> {
    let Connection = connection;
    Ok(user)
}

/// A repository behind `dyn`.
#[async_trait::async_trait]
trait Users: Send + Sync {
    async fn find(&self, id: UserId) -> Result<Option<User>, BoxError>;
    async fn rename(&self, id: UserId, name: &str) -> Result<(), BoxError>;
}

struct Sql<P> {
    pool: P,
    cache: Option<Cache>,
}

#[async_trait::async_trait]
impl<P> Users for Sql<P>
where
    P: AsRef<str> + Send + Sync,
{
    #[redis_cached(key = "dyn-user:<id>", invalidate_on = UserUpdated { id }, local = "30s")]
    async fn find(&self, id: UserId) -> Result<Option<User>, BoxError> {
        Ok(Some(User { id: id.0.get(), tags: vec![self.pool.as_ref().to_owned()], more: HashMap::new() }))
    }

    #[redis_invalidate(UserUpdated { id })]
    async fn rename(&self, id: UserId, name: &str) -> Result<(), BoxError> {
        if name.is_empty() { Err(format!("{} {}", id.0, self.pool.as_ref()).into()) } else { Ok(()) }
    }
}

/// The same with `async fn` of the language.
trait Native {
    async fn find<T>(&self, id: UserId, of: &T) -> Result<Option<Arc<T>>, BoxError>
    where
        T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static;
}

impl<P> Native for Sql<P> {
    #[redis_cached(key = "native:<T>:<id>", skip(of), cache = self.cache.as_ref().unwrap())]
    async fn find<T>(&self, id: UserId, of: &T) -> Result<Option<Arc<T>>, BoxError>
    where
        T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        Ok((id.0.get() > 0).then(|| Arc::new(of.clone())))
    }
}

impl<P> Sql<P> {
    const SIZE: usize = 2;

    #[redis_cached(key = "page:<N>:<Self::SIZE>:<from>")]
    async fn page<const N: usize>(&self, from: [u64; N]) -> Result<[u64; 2], BoxError> {
        Ok([from[0], N as u64])
    }

    #[redis_cached(key = "closures:<ids>")]
    async fn closures(&self, ids: Vec<u64>) -> Result<Vec<u64>, BoxError> {
        let double = async |id: u64| id * 2;
        let mut all = Vec::new();
        for id in ids {
            all.push(double(id).await);
        }
        Ok(all)
    }
}

#[redis_cached(key = "impls:<name>:<id>", skip(work))]
async fn impls<F>(
    name: impl AsRef<str> + cached_core::KeySegment,
    id: impl Into<u64> + Copy + cached_core::KeySegment,
    work: impl Fn(u64) -> F,
) -> Result<u64, BoxError>
where
    F: Future<Output = u64>,
{
    Ok(work(id.into()).await + name.as_ref().len() as u64)
}

mod r#async {
    pub(crate) mod std {
        pub(crate) mod option {}
    }

    pub(crate) mod core {
        pub(crate) fn now() -> u64 {
            7
        }
    }

    #[cached_core::redis_cached(key = "in-async:<type>")]
    pub(crate) async fn in_async(r#type: u64) -> Result<u64, super::BoxError> {
        let (cached_core, std) = (r#type, core::now());
        Ok(cached_core + std)
    }
}

mod serde_like {
    pub enum Option {
        None,
    }

    #[::cached_core::redis_cached(key = "shadow:<id>", ttl = "1m")]
    pub async fn shadow(id: u64) -> ::core::result::Result<u64, super::BoxError> {
        let Option::None = Option::None;
        ::core::result::Result::Ok(id)
    }
}

fn send<T: Send>(future: T) -> T {
    future
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::memory();
    cache.install();
    let id = UserId(NonZeroU64::new(42).unwrap());
    let users: Arc<dyn Users> = Arc::new(Sql { pool: String::from("pool"), cache: None });
    for _ in 0..2 {
        assert_eq!(send(users.find(id)).await.unwrap().unwrap().id, 42);
        large(Large::L9 { a: 1, b: None }).await.unwrap();
        search_by(Filter { text: "a", lang: "b".into(), ids: &[], labels: HashSet::new() }).await.unwrap();
        cow("x".into(), Some("y")).await.unwrap();
        let sql = Sql { pool: (), cache: Some(cache.clone()) };
        assert_eq!(Native::find(&sql, id, &5_u8).await.unwrap(), Some(Arc::new(5)));
        assert_eq!(sql.page([7, 8, 9]).await.unwrap(), [7, 3]);
        assert_eq!(sql.closures(vec![1]).await.unwrap(), [2]);
        assert_eq!(impls("abc", 4_u32, async |id| id).await.unwrap(), 7);
        assert_eq!(r#async::in_async(1).await.unwrap(), 8);
        assert_eq!(serde_like::shadow(1).await.unwrap(), 1);
        assert!(by_pool(&Pool, id).await.unwrap().is_none());
        cache.flush().await;
    }
    for function in ["find", "large", "search_by", "cow", "page", "closures", "impls", "in_async", "shadow", "by_pool"] {
        assert!(cache.stats().site(function).unwrap().loads == 1, "{function}");
    }
    save(&mut Connection, User { id: 1, tags: vec![], more: HashMap::new() }).await.unwrap();
    send(rename(&mut Connection, id, "Eve")).await.unwrap();
}
