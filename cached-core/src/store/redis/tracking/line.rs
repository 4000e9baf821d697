//! The connection on which the server tells of changes.

use crate::store::redis::role::{Question, Role};
use redis::aio::MultiplexedConnection;
use std::sync::Arc;
use tokio::sync::Notify;

/// The connection itself.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) redis: MultiplexedConnection,
    /// How the server tells its role, and what it was when the line was made.
    pub(super) role: Option<(Question, Role)>,
    /// For its keeper: the line has ended, or a sign of life is wanted now.
    pub(super) wake: Arc<Notify>,
}
