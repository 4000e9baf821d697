//! Rows behind the functions under test: their history, and the loads that have read them.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A row; no two states of it have the same version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) version: u64,
}

impl Row {
    /// The answer of `cache_if`.
    pub(crate) fn is_kept(&self) -> bool {
        self.version % 5 != 4
    }

    /// The `ttl` by the value.
    pub(crate) fn ttl(&self) -> Duration {
        Duration::from_millis(if self.version.is_multiple_of(2) { 120 } else { 80 })
    }

    /// The value's own tags.
    pub(crate) fn tags(&self) -> [String; 1] {
        [Self::tag(self.id)]
    }

    /// The tag of a row's value.
    pub(crate) fn tag(id: u64) -> String {
        format!("value:{id}")
    }
}

/// The `ttl` as an expression.
pub(crate) const fn life() -> Duration {
    Duration::from_millis(120)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Failure {
    Down,
    /// The row is not there, which some rows say by an error.
    Gone,
}

impl Failure {
    /// Whether the row with this id says by an error that it is not there.
    pub(crate) fn says_gone(id: u64) -> bool {
        id % 2 == 1
    }

    /// The answer of `error_if`.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "`error_if` takes a function of a reference")]
    pub(crate) fn is_answer(&self) -> bool {
        *self == Self::Gone
    }
}

/// The result of a call.
pub(crate) type Returned = Result<Option<Row>, Failure>;

/// One run of a function's body, for one row. Times are those of the run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// The state that it read when it began.
    pub(crate) state: usize,
    pub(crate) began: Duration,
    pub(crate) ended: Duration,
    pub(crate) failed: bool,
}

/// The states of one row: their places are their order.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) states: Vec<Option<Row>>,
    pub(crate) loads: Vec<Load>,
    /// No older state may be served, as a row or as a `None`. Tags that only a row names do not reach a `None`.
    pub(crate) oldest_row: usize,
    pub(crate) oldest_none: usize,
}

impl Source {
    pub(crate) fn new(id: u64) -> Self {
        Self { states: vec![Some(Row { id, version: 0 })], loads: Vec::new(), oldest_row: 0, oldest_none: 0 }
    }

    /// The last state.
    pub(crate) fn now(&self) -> usize {
        self.states.len() - 1
    }

    /// Whether a state may be served as far as invalidations go.
    pub(crate) fn is_valid(&self, state: usize) -> bool {
        state >= if self.states[state].is_some() { self.oldest_row } else { self.oldest_none }
    }
}
