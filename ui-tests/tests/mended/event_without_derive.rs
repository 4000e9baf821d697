use cached_core::redis_cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: u64,
}

#[derive(cached_core::CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[redis_cached(key = "user:<id>", invalidate_on = UserUpdated { id })]
async fn find_user(id: u64) -> Result<User, String> {
    Ok(User { id })
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = cached_core::Cache::memory();
    let calls = async {
        find_user(42).await.unwrap();
        cache.flush().await;
        find_user(42).await.unwrap();
        let outcome = cache.emit(&UserUpdated { id: 42 }).await;
        assert_eq!(outcome, cached_core::Outcome::Applied);
        find_user(42).await.unwrap();
    };
    cache.scope(calls).await;
    let stats = cache.stats();
    let site = stats.site("find_user").unwrap();
    assert_eq!((site.loads, site.hits), (2, 1));
}
