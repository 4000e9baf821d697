//! Errors that are stored: every way to choose them, and what the messages advise.
#![deny(warnings, clippy::pedantic)]

use cached_core::{Cache, CacheEvent, redis_cached};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Holds what cannot be stored.
#[derive(Debug)]
enum DbError {
    Io(std::io::Error),
    NoRow,
}

/// A small error of its own, with the texts that callers need.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum ApiError {
    NotFound,
    Other { text: String },
}

impl ApiError {
    fn is_answer(&self) -> bool {
        matches!(self, Self::NotFound)
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::NoRow => Self::NotFound,
            DbError::Io(error) => Self::Other { text: error.to_string() },
        }
    }
}

type Answer<T> = Result<T, ApiError>;

fn read(id: u64) -> Result<String, DbError> {
    if id == 0 { Err(DbError::NoRow) } else { std::fs::read_to_string("row").map_err(DbError::Io) }
}

#[redis_cached(key = "by-closure:<id>", error_if = |error| matches!(error, ApiError::NotFound), error_ttl = "30s")]
async fn by_closure(id: u64) -> Result<String, ApiError> {
    Ok(read(id)?)
}

#[redis_cached(
    key = "by-path:<id>", none_ttl = "off", error_if = ApiError::is_answer, error_ttl = "long", local = "10s",
    stale_if_error = "1h", spawn, load_timeout = "1s", tags = |text: &String| [text.clone()], codec = "postcard"
)]
async fn by_path(id: u64) -> Answer<Option<String>> {
    Ok(Some(read(id)?))
}

/// Neither `Clone` nor `PartialEq` nor `Debug`, which nothing asks for here.
#[derive(Serialize, Deserialize)]
struct Bare {
    code: u16,
}

#[redis_cached(key = "bare:<id>", error_if = |error: &Bare| error.code == 404)]
async fn bare(id: u64) -> Result<Vec<String>, Bare> {
    if id == 0 { Err(Bare { code: 404 }) } else { Ok(Vec::new()) }
}

#[redis_cached(key = "unnear:<id>", error_if = |_| true, local = "off")]
async fn unnear(id: u64) -> Result<u64, Bare> {
    Ok(id)
}

/// As the message about `local` advises.
#[redis_cached(key = "shared:<id>", error_if = |error| error.code == 404, local = "10s")]
async fn shared(id: u64) -> Result<Arc<u64>, Arc<Bare>> {
    Ok(Arc::new(id))
}

#[derive(CacheEvent)]
struct Created {
    id: u64,
}

struct Repo<E> {
    cache: Cache,
    error: E,
}

impl<E: Clone + PartialEq + Default + Serialize + serde::de::DeserializeOwned + Send + Sync + 'static> Repo<E> {
    #[redis_cached(
        key = "<E>:generic:<id>", cache = self.cache, error_if = |error| *error == E::default(),
        invalidate_on = Created { id }
    )]
    async fn generic(&self, id: u64) -> Result<u64, E> {
        if id == 0 { Err(self.error.clone()) } else { Ok(id) }
    }
}

#[async_trait::async_trait]
trait Users {
    async fn find(&self, id: u64) -> Answer<u64>;
}

#[async_trait::async_trait]
impl Users for Repo<String> {
    #[redis_cached(key = "of-a-trait:<id>", cache = self.cache, error_if = ApiError::is_answer)]
    async fn find(&self, id: u64) -> Answer<u64> {
        Ok(id)
    }
}

fn is_send<T: Send>(_: &T) {}

fn main() {
    let repo = Repo { cache: Cache::memory(), error: String::new() };
    is_send(&by_closure(1));
    is_send(&by_path(1));
    is_send(&repo.find(1));
    is_send(&repo.generic(1));
    drop((bare(1), unnear(1), shared(1)));
}
