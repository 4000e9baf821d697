//! Entries by hand: types are inferred, futures are `Send` and borrow nothing, and options come in any order.
#![deny(warnings)]

use cached_core::{Cache, Codec, Entry, redis_cached};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct User {
    is_active: bool,
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct NotClone;

async fn load(is_active: bool) -> Result<User, Infallible> {
    Ok(User { is_active })
}

async fn maybe() -> Result<Option<User>, Infallible> {
    Ok(None)
}

fn is_send<F: Future + Send + 'static>(_: F) {}

async fn inferred(cache: &Cache) -> Result<Option<User>, Infallible> {
    let user = cache.entry("user:1").get_or_load(|| load(true)).await?;
    cache.entry("user:1").set(&user).await.unwrap();
    cache.entry("user:1").remove().await.unwrap();
    let _ = cache.entry("user:1").invalidate().await;
    let found: Option<User> = cache.entry("user:1").get().await;
    drop(found.or(cache.entry("user:1").get::<User>().await));
    let peek = cache.entry("user:1").peek::<User>().await;
    drop(peek.and_then(|peek| peek.value));
    cache.entry("user:1").get_or_load_option(maybe).await
}

async fn with_options(cache: &Cache, tenant: String) -> Result<User, Infallible> {
    let wanted = tenant.clone();
    cache
        .entry(format!("user:{tenant}"))
        .tags_of(move |user: &User| [format!("{wanted}:{}", user.is_active)])
        .near(Duration::from_secs(1))
        .cache_if(|user: &User| user.is_active)
        .spawn()
        .ttl(Duration::from_secs(60))
        .refresh_in_background()
        .codec(Codec::Json)
        .get_or_load(move || load(tenant.is_empty()))
        .await
}

/// A load that borrows, and is not `Send`.
async fn borrowing(cache: &Cache) -> Result<String, Infallible> {
    let name = std::rc::Rc::new(String::from("Ada"));
    let entry = cache.entry("name");
    entry
        .get_or_load(|| async {
            let name = &name;
            std::future::ready(()).await;
            Ok(name.to_string())
        })
        .await
}

#[redis_cached(key = "found:<id>")]
async fn find(id: u64) -> User {
    User { is_active: id > 0 }
}

async fn generic<T: cached_core::CacheValue>(entry: &Entry<T>) -> Option<T> {
    entry.get().await
}

fn main() {
    let _ = (inferred, with_options, borrowing, generic::<User>);
    let cache = Cache::memory();
    let entry = cache.entry("user:1");
    is_send(entry.get_or_load(|| load(true)));
    is_send(entry.get::<NotClone>());
    is_send(entry.set(&NotClone));
    is_send(entry.prime(&NotClone));
    is_send(entry.clone().near(Duration::from_secs(1)).get_or_load(async || Ok::<_, Infallible>(Arc::new(NotClone))));
    is_send(entry.invalidate());
    let call = async { cached_core::entry!(find(1)).map(|entry| is_send(entry.get_or_load(|| load(true)))) };
    drop(call);
}
