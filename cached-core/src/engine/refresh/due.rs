//! A value is due for a refresh, and the call that has found it is the one to do it.

use super::local::RefreshClaim;
use crate::engine::budget::Budget;

/// Makes this call the one that refreshes the value it has found.
#[derive(Debug)]
pub(crate) struct DueRefresh {
    pub(super) claim: RefreshClaim,
    pub(super) budget: Budget,
}
