use cached_core::redis_cached;

struct Repository {
    tenant: u64,
}

impl Repository {
    #[redis_cached(key = "user:<tenant>:<id>")]
    async fn find(&self, id: u64) -> u64 {
        self.tenant + id
    }

    #[redis_cached(key = "users:<tenant>")]
    async fn all(&self) -> u64 {
        self.tenant
    }
}

fn main() {}
