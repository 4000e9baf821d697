//! A read, a write, and the event between them: `cargo run -p examples --bin writes`.

use cached_core::{Cache, CacheEvent, redis_cached, redis_invalidate, redis_put};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The database.
static NAMES: Mutex<BTreeMap<u64, String>> = Mutex::new(BTreeMap::new());

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

/// Says which event invalidates its entries, and not who causes it.
#[redis_cached(key = "user:<id>", invalidate_on = UserUpdated { id })]
async fn user_name(id: u64) -> Option<String> {
    println!("  asks the database for user {id}");
    NAMES.lock().ok()?.get(&id).cloned()
}

/// Says what it has changed, and not who reads it.
#[redis_invalidate(UserUpdated { id })]
async fn rename(id: u64, name: &str) {
    println!("  writes user {id}");
    if let Ok(mut names) = NAMES.lock() {
        names.insert(id, name.to_owned());
    }
}

/// Later calls of `user_name` return what this returns.
#[redis_put(key = "user:<id>", invalidate_on = UserUpdated { id }, UserUpdated { id })]
async fn replace(id: u64, name: &str) -> Option<String> {
    println!("  writes user {id}");
    NAMES.lock().ok()?.insert(id, name.to_owned());
    Some(name.to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), cached_core::BuildError> {
    let cache = Cache::from_env("shop")?;
    cache.install();
    println!("Nobody yet: {:?}", user_name(1).await);
    cache.flush().await;
    rename(1, "Ada").await;
    println!("Renamed: {:?}", user_name(1).await);
    cache.flush().await;
    println!("From the cache: {:?}", user_name(1).await);
    replace(1, "Grace").await;
    println!("Put there: {:?}", user_name(1).await);
    println!("{}", cached_core::audit());
    Ok(())
}
