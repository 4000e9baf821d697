use cached_core::redis_cached;

#[derive(Clone)]
struct User;

#[redis_cached(local = "30s")]
async fn cloned(id: u64) -> User {
    User
}

#[redis_cached(local = "30s")]
async fn shared(id: u64) -> Result<std::sync::Arc<User>, String> {
    Ok(std::sync::Arc::new(User))
}

fn main() {}
