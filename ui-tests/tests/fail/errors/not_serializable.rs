//! An error that cannot be written and read back.

use cached_core::redis_cached;

enum ApiError {
    NotFound,
    Io(std::io::Error),
}

#[redis_cached(key = "user:<id>", error_if = |error| matches!(error, ApiError::NotFound), error_ttl = "30s")]
async fn find(id: u64) -> Result<String, ApiError> {
    let text = std::fs::read_to_string(format!("{id}.txt")).map_err(ApiError::Io)?;
    if text.is_empty() { Err(ApiError::NotFound) } else { Ok(text) }
}

#[redis_cached(key = "boxed:<id>", error_if = |error| error.to_string() == "not found", local = "10s", spawn)]
async fn boxed(id: u64) -> Result<Option<u64>, std::sync::Arc<std::io::Error>> {
    Ok(Some(id))
}

fn main() {}
