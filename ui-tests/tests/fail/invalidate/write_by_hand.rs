//! One error each, although the methods return futures.

use cached_core::Cache;

struct UserUpdated;

async fn write(cache: &Cache) {
    cache.write("user:42", async {}).await;
}

async fn try_write(cache: &Cache) {
    let _ = cache.try_write("user:42", async {}).await;
}

async fn text(cache: &Cache) {
    cache.emit("user:42").await;
}

async fn no_event(cache: &Cache) {
    cache.emit(&UserUpdated).await;
}

fn main() {}
