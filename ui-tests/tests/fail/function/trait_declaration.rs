use cached_core::redis_cached;

trait Repo {
    #[redis_cached]
    async fn find(&self, id: u64) -> u64;
}

fn main() {}
