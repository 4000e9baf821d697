//! One error each, although the methods return futures.

use cached_core::{Cache, Options};

struct User;

async fn text(cache: &Cache) {
    cache.set("a", "text", Options::new()).await.unwrap();
}

async fn user(cache: &Cache) {
    cache.set("b", &User, Options::new()).await.unwrap();
}

async fn key(cache: &Cache) {
    cache.delete(42).await.unwrap();
}

fn main() {}
