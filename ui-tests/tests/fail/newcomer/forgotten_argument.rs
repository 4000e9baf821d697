use cached_core::redis_cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct User;

#[redis_cached(key = "user:<id>")]
async fn find_user(id: u64, lang: &str) -> Result<User, String> {
    Err(format!("{id} {lang}"))
}

fn main() {}
