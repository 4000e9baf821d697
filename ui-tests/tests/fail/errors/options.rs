//! How errors are chosen, and for how long they are stored.

use cached_core::redis_cached;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
enum ApiError {
    NotFound,
    Overloaded,
}

#[redis_cached(key = "without-choice:<id>", error_ttl = "30s")]
async fn without_choice(id: u64) -> Result<u64, ApiError> {
    Ok(id)
}

#[redis_cached(key = "not-a-closure:<id>", error_if = "NotFound")]
async fn not_a_closure(id: u64) -> Result<u64, ApiError> {
    Ok(id)
}

#[redis_cached(key = "without-value:<id>", error_if)]
async fn without_value(id: u64) -> Result<u64, ApiError> {
    Ok(id)
}

#[redis_cached(key = "captures:<id>", error_if = |error| id > 7 && matches!(error, ApiError::NotFound))]
async fn captures(id: u64) -> Result<u64, ApiError> {
    Ok(id)
}

#[redis_cached(key = "off:<id>", error_if = |error| matches!(error, ApiError::NotFound), error_ttl = "off")]
async fn off(id: u64) -> Result<u64, ApiError> {
    Ok(id)
}

#[redis_cached(key = "zero:<id>", error_if = |error| matches!(error, ApiError::NotFound), error_ttl = "0s")]
async fn zero(id: u64) -> Result<u64, ApiError> {
    Ok(id)
}

#[redis_cached(key = "neither:<id>", error_if = |error| matches!(error, ApiError::NotFound), error_ttl = "half a minute")]
async fn neither(id: u64) -> Result<u64, ApiError> {
    Ok(id)
}

#[redis_cached(key = "number:<id>", error_if = |error| matches!(error, ApiError::NotFound), error_ttl = 30)]
async fn number(id: u64) -> Result<u64, ApiError> {
    Ok(id)
}

#[redis_cached(key = "bytes:<id>", codec = "bytes", error_if = |error| matches!(error, ApiError::NotFound))]
async fn bytes(id: u64) -> Result<Vec<u8>, ApiError> {
    Err(ApiError::Overloaded)
}

#[redis_cached(key = "other-name:<id>", cache_err = true)]
async fn other_name(id: u64) -> Result<u64, ApiError> {
    Ok(id)
}

fn main() {}
