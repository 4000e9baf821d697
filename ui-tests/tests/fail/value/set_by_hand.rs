//! One error each, although the methods return futures.

use cached_core::Cache;

struct User;

async fn text(cache: &Cache) {
    cache.entry("a").set("text").await.unwrap();
}

async fn user(cache: &Cache) {
    cache.entry("b").set(&User).await.unwrap();
}

async fn key(cache: &Cache) {
    cache.entry(42).remove().await.unwrap();
}

fn main() {}
