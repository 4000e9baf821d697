use cached_core::redis_cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: u64,
}

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

fn main() {}
