use cached_core::redis_cached;

struct User {
    id: u64,
}

#[redis_cached(key = "user:<user.id()>")]
async fn find(user: User) -> u64 {
    user.id
}

fn main() {}
