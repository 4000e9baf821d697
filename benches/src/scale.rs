//! How much is measured.

use std::time::Duration;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// `None`: each case has its own default.
    pub(crate) rounds: Option<usize>,
    pub(crate) time: Duration,
    pub(crate) fill_keys: u64,
    pub(crate) hung_calls: usize,
    pub(crate) sequence: u64,
}

impl Scale {
    pub(crate) const FULL: Self =
        Self { rounds: None, time: Duration::from_millis(500), fill_keys: 100_000, hung_calls: 50, sequence: 5_000 };
    pub(crate) const SMOKE: Self =
        Self { rounds: Some(2), time: Duration::from_millis(50), fill_keys: 1_000, hung_calls: 10, sequence: 200 };

    pub(crate) fn rounds_or(&self, default: usize) -> usize {
        self.rounds.unwrap_or(default)
    }
}
