//! What `bypass`, `refresh` and `with_status` do not accept.

use cached_core::{bypass, redis_cached, refresh, with_status};

struct DbError;

#[redis_cached(key = "user:<id>")]
async fn find_user(id: u64) -> Result<String, DbError> {
    Ok(id.to_string())
}

async fn awaited_too_early() -> Result<String, DbError> {
    bypass(find_user(42).await).await
}

async fn awaited_too_early_with_its_status() -> Result<String, DbError> {
    let (user, _) = with_status(find_user(42).await).await;
    user
}

async fn awaited_and_then_refreshed() -> Result<String, DbError> {
    refresh(find_user(42).await).await
}

async fn the_value() -> Result<(), DbError> {
    let _ = bypass(find_user(42).await?).await;
    Ok(())
}

async fn not_called() {
    let _ = bypass(find_user).await;
}

async fn not_awaited() -> Result<String, DbError> {
    let user = bypass(find_user(42))?;
    Ok(user)
}

fn main() {}
