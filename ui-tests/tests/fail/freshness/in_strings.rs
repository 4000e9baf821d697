use cached_core::redis_cached;

#[derive(Debug, Clone)]
struct Repo;

impl Repo {
    #[redis_cached(key = "a:<id>", spawn)]
    async fn find(&self, id: u64) -> String {
        println!("{self:?} loads {id}");
        format!("{self:?}: {id}")
    }

    #[redis_cached(key = "b:<id>", stale_while_revalidate = "5m", refresh = "background")]
    async fn renewed(&self, id: u64) -> String {
        format!("{self:?}: {id}")
    }

    #[redis_cached(key = "c:<id>", spawn)]
    async fn found(&self, id: u64) -> String {
        format!("{:?}: {id}", self)
    }
}

fn main() {}
