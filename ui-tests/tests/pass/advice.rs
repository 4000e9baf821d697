//! What messages say to write compiles: each function has followed the advice of one of them.

#![allow(dead_code)]

use cached_core::{Cache, CacheEvent, Invalidation, entry, redis_cached, redis_invalidate, redis_put};
use std::time::Duration;

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[derive(CacheEvent)]
struct Renamed {
    name: String,
}

struct Repository {
    tenant: u64,
}

impl Repository {
    // "for a field of `self` write `<self.tenant>`"
    #[redis_cached(key = "a:<self.tenant>:<id>")]
    async fn find(&self, id: u64) -> u64 {
        self.tenant + id
    }
}

// "write for example `id: user_id`"
#[redis_cached(key = "b:<user_id>", invalidate_on = UserUpdated { id: user_id })]
async fn longer_name(user_id: u64) -> u64 {
    user_id
}

// "expected `&String`, found `&&str`"
#[redis_cached(key = "c:<name>", invalidate_on = Renamed { name: name.to_owned() })]
async fn text(name: &str) -> String {
    name.to_owned()
}

// A reference to a field's type is cloned.
#[redis_cached(key = "i:<id>", invalidate_on = UserUpdated { id })]
async fn by_reference(id: &u64) -> u64 {
    *id
}

// "for a type parameter write `T: cached_core::CacheValue`"
#[redis_cached(key = "d:<T>")]
async fn rows<T: Default + cached_core::CacheValue>() -> Vec<T> {
    Vec::new()
}

// "or write `<name:hash>`"
#[redis_cached(key = "e:<lat:hash>:<lon:hash>")]
async fn place(lat: f64, lon: f64) -> f64 {
    lat + lon
}

// "consider restricting opaque type `impl AsRef<str>` with trait `KeySegment`"
#[redis_cached(key = "f:<name>")]
async fn generic(name: impl AsRef<str> + cached_core::KeySegment) -> String {
    name.as_ref().to_owned()
}

// "write `<name:serde>` in the template"
#[redis_cached(key = "g:<filter:serde>")]
async fn foreign(filter: Vec<Result<u8, u8>>) -> usize {
    filter.len()
}

// "give them a tag there, `tags = "users"`, and write `tag = "users"` here"
#[redis_cached(key = "h:<id>", tags = "users")]
async fn tagged(id: u64) -> u64 {
    id
}

#[redis_invalidate(tag = "users")]
async fn all_entries() {}

// "write `key = "..", key = ".."`"
#[redis_invalidate(key = "h:<id>", key = "users")]
async fn keys(id: u64) {
    drop(id);
}

// "write `mode = "after"`"
#[redis_invalidate(UserUpdated { id: *ret }, mode = "after")]
async fn create() -> u64 {
    1
}

// "write the key of the function that reads it"
#[redis_put(key = "b:<user_id>", invalidate_on = UserUpdated { id: user_id })]
async fn save(user_id: u64) -> u64 {
    user_id
}

async fn by_hand(cache: &Cache) -> Result<(), Box<dyn std::error::Error>> {
    let _ = cache.invalidate(cached_core::Invalidation::new().key("user:42")).await;
    let _ = cache.invalidate(&UserUpdated { id: 42 }).await;
    let _ = cache.invalidate(entry!(tagged(42))?).await;
    let _ = cache.write(Invalidation::new().key("user:42"), async {}).await;
    let _ = cache.try_write(&UserUpdated { id: 42 }, async {}).await?;
    let _ = cache.emit(&UserUpdated { id: 42 }).await;
    cache.entry("a").ttl(Duration::from_secs(60)).set(&String::from("text")).await?;
    cache.entry("a").remove().await?;
    Ok(())
}

fn is_send<T: Send>(future: T) -> T {
    future
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::memory();
    cache.install();
    is_send(by_hand(&cache)).await.unwrap();
    is_send(cache.write(Invalidation::new().key("x"), std::future::ready(()))).await.0;
}
