use cached_core::{Cache, redis_cached};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: u64,
}

#[redis_cached(key = "user:<id>")]
async fn find_user(id: u64) -> Result<User, String> {
    Ok(User { id })
}

async fn forget_user(cache: &Cache, id: u64) -> Result<(), cached_core::EntryError> {
    let _ = cache.invalidate(cached_core::entry!(find_user(id))?).await;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::memory();
    let calls = async {
        find_user(42).await.unwrap();
        cache.flush().await;
        find_user(42).await.unwrap();
        forget_user(&cache, 42).await.unwrap();
        find_user(42).await.unwrap();
    };
    cache.scope(calls).await;
    let stats = cache.stats();
    let site = stats.site("find_user").unwrap();
    assert_eq!((site.loads, site.hits), (2, 1));
}
