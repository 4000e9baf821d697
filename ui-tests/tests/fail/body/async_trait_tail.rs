use cached_core::redis_cached;

use async_trait::async_trait;

struct Repo;

#[async_trait]
trait Users {
    async fn find(&self, id: u64) -> Result<u64, String>;
}

#[async_trait]
impl Users for Repo {
    #[redis_cached]
    async fn find(&self, id: u64) -> Result<u64, String> {
        id
    }
}

fn main() {}
