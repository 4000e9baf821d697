//! `async fn` in a trait: on implementations and on default methods.

use cached_core::redis_cached;

#[allow(async_fn_in_trait)]
trait Users {
    fn tenant(&self) -> u64;

    async fn find(&self, id: u64) -> Result<String, String>;

    #[redis_cached(key = "count:<kind>")]
    async fn count(&self, kind: &str) -> u64 {
        self.tenant() + kind.len() as u64
    }
}

struct Repo {
    tenant: u64,
}

impl Users for Repo {
    fn tenant(&self) -> u64 {
        self.tenant
    }

    #[redis_cached(key = "user:<self.tenant>:<id>")]
    async fn find(&self, id: u64) -> Result<String, String> {
        Ok(format!("{} {id}", Self::NAME))
    }
}

impl Repo {
    const NAME: &'static str = "repo";
}

fn main() {}
