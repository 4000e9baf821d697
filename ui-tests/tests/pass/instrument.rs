//! `#[tracing::instrument]` above and below, with and without `#[async_trait]`.

use async_trait::async_trait;
use cached_core::{CacheEvent, redis_cached, redis_invalidate, redis_put};
use tracing::instrument;

// One span around the whole call.
#[redis_cached(key = "a:<id>")]
#[instrument(ret, err)]
async fn whole_call(id: u64) -> Result<u64, String> {
    Ok(id)
}

// One span around the load.
#[instrument(skip(id))]
#[redis_cached(key = "b:<id>")]
async fn load_only(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[derive(CacheEvent)]
struct Updated {
    id: u64,
}

#[redis_invalidate(Updated { id })]
#[instrument(ret, err)]
async fn whole_write(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[instrument]
#[redis_invalidate(Updated { id: *ret }, key = "b:<id>:<ret>", mode = "after")]
async fn body_of_a_write(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[instrument(skip(id))]
#[redis_put(key = "b:<id>")]
async fn body_of_a_put(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[async_trait]
trait Users {
    async fn above(&self, id: u64) -> u64;
    async fn below(&self, id: u64) -> u64;
    async fn write_above(&self, id: u64);
    async fn write_below(&self, id: u64);
}

struct Repo {
    tenant: u64,
}

#[async_trait]
impl Users for Repo {
    #[redis_cached(key = "c:<self.tenant>:<id>")]
    #[instrument(skip(self))]
    async fn above(&self, id: u64) -> u64 {
        self.tenant + id
    }

    #[instrument(skip(self))]
    #[redis_cached(key = "d:<self.tenant>:<id>")]
    async fn below(&self, id: u64) -> u64 {
        self.tenant + id
    }

    #[redis_invalidate(Updated { id: self.tenant }, Updated { id })]
    #[instrument(skip(self))]
    async fn write_above(&self, id: u64) {
        let _ = self.tenant + id;
    }

    #[instrument(skip(self))]
    #[redis_invalidate(Updated { id: self.tenant }, Updated { id })]
    async fn write_below(&self, id: u64) {
        let _ = self.tenant + id;
    }
}

fn main() {}
