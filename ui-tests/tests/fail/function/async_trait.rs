use cached_core::redis_cached;

use async_trait::async_trait;

struct Repo;

#[async_trait]
trait Users {
    async fn find(&self, id: u64, pair: (u64, u64)) -> u64;
    async fn borrow(&self, id: u64) -> &str;
    async fn nothing(&self, id: u64);
}

// The rules are the same as without `#[async_trait]`, and so are the places of the messages.
#[async_trait]
impl Users for Repo {
    #[redis_cached(key = "user:<uid>:<a>")]
    async fn find(&self, id: u64, (a, b): (u64, u64)) -> u64 {
        id + a + b
    }

    #[redis_cached]
    async fn borrow(&self, id: u64) -> &str {
        if id == 0 { "zero" } else { "" }
    }

    #[redis_cached]
    async fn nothing(&self, id: u64) {
        drop(id);
    }
}

fn main() {}
