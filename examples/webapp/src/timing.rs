//! Tells the client how long the server took.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;

pub(crate) const ELAPSED: &str = "x-elapsed-us";

/// Middleware: sets the header [`ELAPSED`], the time from the parsed request to the answer, in microseconds.
pub(crate) async fn elapsed(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let mut response = next.run(request).await;
    let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
    response.headers_mut().insert(ELAPSED, HeaderValue::from(micros));
    response
}
