//! Tells the client what the cache did.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

pub(crate) const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Middleware: sets the header [`CACHE_STATUS`] of RFC 9211 if the handler has called cached functions.
pub(crate) async fn cache_status(request: Request, next: Next) -> Response {
    let (mut response, status) = cached_core::with_status(next.run(request)).await;
    if !status.calls().is_empty()
        && let Ok(status) = HeaderValue::from_str(&status.to_string())
    {
        response.headers_mut().insert(CACHE_STATUS, status);
    }
    response
}
