//! Errors that cannot be stored make one message each, whatever the closure and the value are.

#![allow(unused)]

use std::sync::Arc;

use cached_core::redis_cached;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
enum ApiError {
    NotFound,
}

#[redis_cached(key = "a:<id>", error_if = |error: &ApiError| matches!(error, ApiError::NotFound))]
async fn optional(id: u64) -> Option<Arc<String>> {
    None
}

#[redis_cached(key = "b:<id>", error_if = |error| matches!(error, ApiError::NotFound), local = "10s")]
async fn without_type(id: u64) -> Option<Arc<String>> {
    None
}

fn is_final(_: &ApiError) -> bool {
    true
}

#[redis_cached(key = "c:<id>", error_if = is_final)]
async fn path(id: u64) -> Option<String> {
    None
}

#[redis_cached(key = "d:<id>", error_if = |error: &ApiError| matches!(error, ApiError::NotFound))]
async fn generic<T>(id: u64) -> Result<T, ApiError> {
    Err(ApiError::NotFound)
}

#[redis_cached(key = "e:<id>", error_if = |error: &E| error.to_string().is_empty(), local = "10s")]
async fn generic_error<E: std::fmt::Display>(id: u64) -> Result<u64, E> {
    Ok(id)
}

fn main() {}
