use cached_core::redis_cached;

struct Repo;

impl Repo {
    #[redis_cached(key = "user:<id>", skip(self))]
    async fn find(&self, id: u64) -> u64 {
        id
    }
}

fn main() {}
