use cached_core::redis_cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: u64,
}

#[redis_cached(key = "user:<user_idd>")]
async fn find_user(user_id: u64) -> Result<User, String> {
    Ok(User { id: user_id })
}

fn main() {}
