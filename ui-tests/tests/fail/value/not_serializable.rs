use cached_core::redis_cached;

struct User;

#[redis_cached]
async fn plain(id: u64) -> User {
    User
}

#[redis_cached]
async fn wrapped(id: u64) -> Result<Option<User>, String> {
    Ok(None)
}

fn main() {}
