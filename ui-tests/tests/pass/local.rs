//! The near cache keeps values in every way that their types allow, and needs nothing of types that it cannot keep.

use cached_core::redis_cached;
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use std::sync::Arc;

#[derive(Serialize, Deserialize)]
struct User {
    id: u64,
}

type Found<T> = Result<Option<T>, String>;

#[redis_cached(key = "user:<id>", local = "30s")]
async fn shared(id: u64) -> Arc<User> {
    Arc::new(User { id })
}

#[redis_cached(key = "found:<id>", local = "30s", on_gap = "serve")]
async fn found(id: u64) -> Found<Arc<User>> {
    Ok(Some(Arc::new(User { id })))
}

#[redis_cached(key = "cloned:<id>", local = "1m30s", on_gap = "bypass")]
async fn cloned(id: u64) -> Option<Vec<String>> {
    Some(vec![id.to_string()])
}

#[redis_cached(key = "tagged:<id>", local = "30s", tags = "tenant:<tenant>", skip(tenant))]
async fn tagged(id: u64, tenant: &str) -> String {
    format!("{id} of {tenant}")
}

#[redis_cached(key = "generic:<T>", local = "30s")]
async fn generic<T>() -> T
where
    T: Default + Clone + Send + Sync + Serialize + serde::de::DeserializeOwned + 'static,
{
    T::default()
}

// Neither `Clone` nor `Arc`, and not `Sync`, which is fine without `local`.
#[redis_cached(key = "plain:<id>")]
async fn plain(id: u64) -> User {
    User { id }
}

#[redis_cached(key = "off:<id>", local = "off")]
async fn off(id: u64) -> Rc<User> {
    Rc::new(User { id })
}

struct Repo;

impl Repo {
    #[redis_cached(key = "method:<id>", local = "30s")]
    async fn find(&self, id: u64) -> Result<Arc<str>, String> {
        Ok(id.to_string().into())
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(near());
}

async fn near() {
    let cache = cached_core::Cache::builder().near_ttl(std::time::Duration::from_secs(5)).build().unwrap();
    cache
        .scope(async {
            for _ in 0..3 {
                assert_eq!(shared(1).await.id, 1);
                assert_eq!(found(2).await.unwrap().unwrap().id, 2);
                assert_eq!(cloned(3).await.unwrap(), ["3"]);
                assert_eq!(tagged(4, "a").await, "4 of a");
                assert_eq!(generic::<u8>().await, 0);
                assert_eq!(generic::<String>().await, "");
                assert_eq!(plain(5).await.id, 5);
                assert_eq!(off(6).await.id, 6);
                assert_eq!(&*Repo.find(7).await.unwrap(), "7");
                cache.flush().await;
            }
        })
        .await;
    let near_hits = |site| cache.stats().site(site).map(|site| site.near_hits);
    for site in ["shared", "found", "cloned", "tagged", "find"] {
        assert_eq!(near_hits(site), Some(1), "{site}");
    }
    assert_eq!([near_hits("plain"), near_hits("off")], [Some(0), Some(0)]);
    // Each of the two types has its own entries.
    assert_eq!(near_hits("generic"), Some(2));
}
