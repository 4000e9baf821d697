//! The connection on which the server tells of changes.

use crate::store::redis::role::{Question, Role};
use redis::aio::MultiplexedConnection;
use std::sync::Arc;
use tokio::sync::Notify;

/// The connection itself.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) redis: MultiplexedConnection,
    /// The command by which the server tells its role, and its role when the line was made.
    pub(super) role: Option<(Question, Role)>,
    /// Tells the keeper that the line has ended, or that a sign of life is wanted now.
    pub(super) wake: Arc<Notify>,
}
