use cached_core::redis_cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: u64,
}

struct UserUpdated {
    id: u64,
}

#[redis_cached(key = "user:<id>", invalidate_on = UserUpdated { id })]
async fn find_user(id: u64) -> Result<User, String> {
    Ok(User { id })
}

fn main() {}
