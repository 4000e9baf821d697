use cached_core::redis_cached;

#[redis_cached]
struct User;

#[redis_cached]
impl User {
    async fn find(id: u64) -> u64 {
        id
    }
}

fn main() {}
