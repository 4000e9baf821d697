use cached_core::redis_cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: u64,
}

#[redis_cached(key = "user:<id>", ttl = "300s")]
async fn find_user(id: u64) -> Result<User, String> {
    Ok(User { id })
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = cached_core::Cache::memory();
    let twice = async {
        find_user(42).await.unwrap();
        cache.flush().await;
        find_user(42).await.unwrap();
    };
    cache.scope(twice).await;
    let stats = cache.stats();
    let site = stats.site("find_user").unwrap();
    assert_eq!((site.loads, site.hits), (1, 1));
}
