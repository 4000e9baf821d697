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
    let _ = cache.invalidate(format!("user:{id}")).await;
    Ok(())
}

fn main() {}
