//! What a miss has to do with its batch.

use crate::flight::pulse::Pulse;
use crate::lease::Releases;
use std::sync::Arc;

/// What the missed calls of a batch have in common.
#[derive(Debug)]
pub(crate) struct Member {
    /// Held until it is known whether the batch may load this call's key or the call depends on others.
    deciding: Option<Arc<()>>,
    releases: Arc<Releases>,
    pulse: Arc<Pulse>,
}

impl Member {
    pub(crate) fn new(deciding: Arc<()>, releases: Arc<Releases>, pulse: Arc<Pulse>) -> Self {
        Self { deciding: Some(deciding), releases, pulse }
    }

    /// The pulse by which others see whether the batch is polled; all flights that it leads are polled with it.
    pub(crate) fn pulse(&self) -> Arc<Pulse> {
        Arc::clone(&self.pulse)
    }

    pub(crate) fn waits_for_others(&mut self) {
        self.deciding = None;
    }

    /// Releases the leases of the batch.
    pub(crate) fn releases(&self) -> Arc<Releases> {
        Arc::clone(&self.releases)
    }
}
