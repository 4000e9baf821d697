use cached_core::redis_cached;

#[redis_cached(key = "user-name:<id>")]
async fn find_user(id: u64) -> Result<String, String> {
    if id == 42 { Ok("Ada".to_owned()) } else { Err("nobody".to_owned()) }
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
