use cached_core::Cache;

async fn unknown(cache: &Cache) {
    cache.entry("user:42").get().await;
}

async fn unknown_in_a_closure(cache: &Cache) {
    cache.entry("user:42").cache_if(|user| user.is_active()).remove().await.unwrap();
}

fn main() {}
