use cached_core::redis_cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: u64,
    name: String,
}

#[redis_cached(key = "user:<id>")]
async fn find_user(id: u64, lang: &str) -> Result<User, String> {
    Ok(User { id, name: format!("Ada, in {lang}") })
}

fn main() {}
