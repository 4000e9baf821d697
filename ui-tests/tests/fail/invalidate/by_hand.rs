use cached_core::Cache;

async fn key(cache: Cache) {
    cache.invalidate("user:42").await;
}

async fn several(cache: &Cache, keys: Vec<String>) {
    cache.invalidate(keys).await;
}

fn main() {}
