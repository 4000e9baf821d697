//! A value is due: the call that has found it is the one to renew it.

use super::local::RefreshClaim;
use crate::engine::budget::Budget;

/// This call is the one to renew the value that it has found.
#[derive(Debug)]
pub(crate) struct DueRefresh {
    pub(super) claim: RefreshClaim,
    pub(super) budget: Budget,
}
