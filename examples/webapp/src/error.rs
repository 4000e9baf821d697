//! What can go wrong: at start-up, and in a request.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::io;
use std::net::SocketAddr;

#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("ADDR={0:?} is not an address; write for example ADDR=127.0.0.1:3000")]
    Addr(String),
    #[error("{0} is already in use; choose another address, or ADDR=127.0.0.1:0 for any free port")]
    AddrInUse(SocketAddr),
    #[error("the cache cannot be set up: {0}")]
    Cache(#[from] cached_core::BuildError),
    #[error("the database cannot be set up: {0}")]
    Database(#[from] sqlx::Error),
    #[error("unknown arguments; without any the app runs, with `audit` it checks its annotations")]
    Arguments,
    #[error("the audit has findings")]
    Audit,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// An error answer. All of them are JSON: `{"error": ".."}`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("{0}")]
    BadInput(String),
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The client gets no details; they are in the log.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// A call that `entry!` cannot describe, which is a mistake in this program.
    #[error("the entry cannot be named")]
    Entry(#[from] cached_core::EntryError),
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::BadInput(rejection.body_text())
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self::BadInput(rejection.body_text())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::BadInput(rejection.body_text())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::BadInput(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Database(error) => {
                tracing::error!(%error, "query failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Entry(error) => {
                tracing::error!(%error, "no entry");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        (status, Json(json!({ "error": self.to_string() }))).into_response()
    }
}
