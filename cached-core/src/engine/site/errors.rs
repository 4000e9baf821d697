//! The errors that a site stores: those that `error_if` chooses.
//!
//! Functions with and without `error_if` share their values under a key, but a stored error is for those that store
//! errors of the same type only. To all others it is a value of another type, beside which their own values stand.

use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

/// How a site stores errors.
#[derive(Debug)]
pub(crate) struct StoredErrors {
    /// Their time to live before jitter.
    pub(crate) ttl: Duration,
    /// The fingerprint of values that was asked for first, and that of the errors beside them. A generic function has
    /// one pair for each of its types.
    first: OnceLock<(u64, u64)>,
    others: RwLock<Vec<(u64, u64)>>,
}

impl StoredErrors {
    pub(super) fn new(ttl: Duration) -> Self {
        Self { ttl, first: OnceLock::new(), others: RwLock::default() }
    }

    /// The fingerprint of the errors beside values with this one.
    pub(super) fn fingerprint(&self, of_values: u64) -> Option<u64> {
        let first = self.first.get()?;
        if first.0 == of_values {
            return Some(first.1);
        }
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        others.iter().find(|(values, _)| *values == of_values).map(|(_, errors)| *errors)
    }

    pub(super) fn learns(&self, of_values: u64, errors: u64) {
        if self.first.set((of_values, errors)).is_err() {
            self.others.write().unwrap_or_else(PoisonError::into_inner).push((of_values, errors));
        }
    }
}
