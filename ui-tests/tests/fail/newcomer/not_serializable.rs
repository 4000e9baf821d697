use cached_core::redis_cached;

struct User;

#[redis_cached(key = "user:<id>")]
async fn find_user(id: u64) -> Result<User, String> {
    Err(format!("{id}"))
}

fn main() {}
