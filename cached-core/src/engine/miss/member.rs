//! A miss that is one of a batch's.

use crate::flight::pulse::Pulse;
use crate::lease::Releases;
use std::sync::Arc;

/// What one lookup of a batch has in common with the others.
#[derive(Debug)]
pub(crate) struct Member {
    /// Held until it is known whether this lookup's key is the batch's to load, or depends on others.
    deciding: Option<Arc<()>>,
    releases: Arc<Releases>,
    pulse: Arc<Pulse>,
}

impl Member {
    pub(crate) fn new(deciding: Arc<()>, releases: Arc<Releases>, pulse: Arc<Pulse>) -> Self {
        Self { deciding: Some(deciding), releases, pulse }
    }

    /// By which others see whether the batch is polled: all that it leads is polled with it.
    pub(crate) fn pulse(&self) -> Arc<Pulse> {
        Arc::clone(&self.pulse)
    }

    pub(crate) fn waits_for_others(&mut self) {
        self.deciding = None;
    }

    /// What releases its lease.
    pub(crate) fn releases(&self) -> Arc<Releases> {
        Arc::clone(&self.releases)
    }
}
