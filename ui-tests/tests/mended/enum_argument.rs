use cached_core::redis_cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: u64,
}

#[derive(cached_core::CacheKey)]
enum Role {
    Admin,
    Guest,
}

#[redis_cached(key = "first-user:<role>")]
async fn find_user(role: Role) -> Result<User, String> {
    let id = match role {
        Role::Admin => 1,
        Role::Guest => 2,
    };
    Ok(User { id })
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = cached_core::Cache::memory();
    let twice = async {
        find_user(Role::Admin).await.unwrap();
        cache.flush().await;
        find_user(Role::Admin).await.unwrap();
    };
    cache.scope(twice).await;
    assert_eq!(cache.scope(find_user(Role::Guest)).await.unwrap().id, 2);
    let stats = cache.stats();
    let site = stats.site("find_user").unwrap();
    assert_eq!((site.loads, site.hits), (2, 1));
}
