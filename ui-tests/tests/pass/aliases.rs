//! The real type decides what is cached, not its name.

use cached_core::redis_cached;

#[derive(Debug)]
struct DbError;

type ApiResult<T> = Result<T, DbError>;
type Maybe<T> = Option<T>;
type Found = ApiResult<Maybe<u64>>;

#[redis_cached(cache_if = |value: &u64| *value > 0)]
async fn alias(id: u64) -> ApiResult<u64> {
    Ok(id)
}

#[redis_cached(cache_if = |value: &u64| *value > 0, none_ttl = "off")]
async fn of_alias(id: u64) -> ApiResult<Maybe<u64>> {
    Ok(Some(id))
}

#[redis_cached(cache_if = |value: &u64| *value > 0)]
async fn without_arguments(id: u64) -> Found {
    Err::<Maybe<u64>, _>(DbError).map(|_: Maybe<u64>| Some(id))
}

#[redis_cached(cache_if = |value: &u64| *value > 0)]
async fn plain(id: u64) -> u64 {
    id
}

#[redis_cached(cache_if = |value: &String| !value.is_empty())]
async fn error_that_borrows(id: u64) -> Result<String, &'static str> {
    if id == 0 { Err("zero") } else { Ok(id.to_string()) }
}

/// Only the alias knows which argument is the value.
type Res<T, E> = Result<T, E>;
type Flipped<E, T> = Result<T, E>;

#[redis_cached(key = "literal:<id>")]
async fn literal_error(id: u64) -> Res<u64, &'static str> {
    if id == 0 { Err("zero") } else { Ok(id) }
}

#[redis_cached(key = "flipped:<id>")]
async fn flipped(id: u64) -> Flipped<&'static str, u64> {
    if id == 0 { Err("zero") } else { Ok(id) }
}

#[redis_cached(key = "std:<id>")]
async fn standard(id: u64) -> Result<Option<u64>, &'static str> {
    if id == 0 { Err("zero") } else { Ok(None) }
}

fn main() {
    drop(literal_error(1));
    drop(flipped(1));
    drop(standard(1));
}
