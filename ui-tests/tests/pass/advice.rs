//! What messages say to write compiles: each function has followed the advice of one of them.

#![allow(dead_code)]

use cached_core::{Cache, CacheEvent, Invalidation, entry, redis_cached, redis_invalidate, redis_put};
use std::collections::HashMap;
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

// "write for example `id: *number`"
#[redis_invalidate(UserUpdated { id: *number })]
async fn by_another_name(number: &u64) {
    let _ = number;
}

// "write for example `name: old_name.clone()`"
#[redis_invalidate(Renamed { name: old_name.clone() })]
async fn owned(old_name: String) {
    drop(old_name);
}

// "write for example `id: repository.tenant`"
#[redis_invalidate(for repository in repositories { UserUpdated { id: repository.tenant } })]
async fn items(repositories: &[Repository]) {
    let _ = repositories;
}

// "write for example `id: number.to_owned()`"
#[redis_invalidate(for number in numbers { UserUpdated { id: number.to_owned() } })]
async fn plain_items(numbers: &[u64]) {
    let _ = numbers;
}

#[redis_cached(key = "j:<number>", batch = numbers, invalidate_on = UserUpdated { id: number.to_owned() })]
async fn batched(numbers: &[u64]) -> HashMap<u64, u64> {
    numbers.iter().map(|number| (*number, *number)).collect()
}

// "one tag stands in brackets", "write `|name: &String|`"
#[redis_cached(key = "k:<id>", tags = |name: &String| [format!("name:{name}")])]
async fn named(id: u64) -> Option<String> {
    Some(id.to_string())
}

// "try using a conversion method"
#[redis_invalidate(Renamed { name: name.to_string() })]
async fn rename(name: &str) {
    let _ = name;
}

// "add its key to `#[redis_invalidate]`"
#[redis_invalidate(tag = "users", key = "b:<user_id>")]
async fn in_place_of_a_put(user_id: u64) -> u64 {
    user_id
}

// "write `#[redis_invalidate(for .. in .. { .. }, key = ..)]` in place of the put"
#[redis_invalidate(for id in ids { UserUpdated { id } }, key = "b:<user_id>")]
async fn items_in_place_of_a_put(user_id: u64, ids: &[u64]) -> u64 {
    user_id + ids.len() as u64
}

// "wrap the write in `cache.write(..)`", "name an event of arguments that the other entries listen to"
#[redis_put(UserUpdated { id: user_id }, key = "b:<user_id>")]
async fn write_in_a_put(cache: &Cache, user_id: u64) -> u64 {
    cache.write(Invalidation::new().tag("users"), async { user_id }).await.0
}

// "a spawned task is in the scope only with .."
async fn spawned() -> u64 {
    tokio::spawn(cached_core::in_current_scope(tagged(1))).await.unwrap()
}

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
    assert_eq!(cache.scope(spawned()).await, 1);
    assert_eq!(write_in_a_put(&cache, 7).await, 7);
    is_send(cache.write(Invalidation::new().key("x"), std::future::ready(()))).await.0;
}
