use cached_core::redis_cached;

struct Repo {
    ttl: std::time::Duration,
}

// Attributes while they are typed. Callers still find the functions.
impl Repo {
    #[redis_cached(key = )]
    async fn key(&self, id: u64) -> u64 {
        id
    }

    #[redis_cached(key = "user:<")]
    async fn placeholder(&self, id: u64) -> u64 {
        id
    }

    #[redis_cached(key = "user:<self.")]
    async fn field(&self, id: u64) -> u64 {
        id
    }

    #[redis_cached(key = "user:<self.>:<id>")]
    async fn field_between_brackets(&self, id: u64) -> u64 {
        id
    }

    #[redis_cached(ttl = self.)]
    async fn ttl(&self, id: u64) -> u64 {
        id
    }

    #[redis_cached(cache_if = |value|)]
    async fn closure(&self, id: u64) -> u64 {
        id
    }

    #[redis_cached(cache_if = |)]
    async fn bar(&self, id: u64) -> u64 {
        id
    }

    #[redis_cached(key = "user:<id>", skip)]
    async fn skip(&self, id: u64) -> u64 {
        id
    }

    #[redis_cached(key = "user:<id>", t)]
    async fn name(&self, id: u64) -> u64 {
        id
    }

    #[redis_cached(ttl = self.ttl(self.), key = "user:<id>")]
    async fn inside(&self, id: u64) -> u64 {
        id
    }

    #[redis_cached(key = "user:<id>", crate = ::)]
    async fn path(&self, id: u64) -> u64 {
        id
    }
}

async fn caller(repo: &Repo) {
    repo.key(1).await;
    repo.placeholder(1).await;
    repo.ttl(1).await;
    repo.closure(1).await;
    repo.skip(1).await;
    repo.name(1).await;
    repo.path(1).await;
    repo.no_such_method(1).await;
}

fn main() {}
