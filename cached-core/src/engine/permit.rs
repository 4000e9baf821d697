//! The permission to load, and what becomes of the result.

use super::closing::Closing;
use super::nesting::{self, Loading};
use super::target::Target;
use super::{Engine, FlightKey, SiteState};
use crate::envelope::{Entry, Head};
use crate::flight::Lead;
use crate::invalidation::Tag;
use crate::lease::Lease;
use crate::reason::UnstoredReason;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// Permission for one load.
#[derive(Debug)]
pub(super) struct Permit {
    target: Target,
    kind: Kind,
    /// Held while the load runs.
    slot: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
enum Kind {
    /// One load in all processes; stored and shared.
    /// The lease stands first: it is released before followers wake. Last, the stamps of the tags before the load.
    Leased(Lease, Lead<FlightKey, Entry>, Vec<Head>),
    /// One load in this process; shared, not stored.
    Shared(Lead<FlightKey, Entry>),
    /// For this caller only.
    Alone,
}

/// A value that may be stored.
#[derive(Debug)]
pub(super) struct Storable {
    /// `None` stands for a `None`.
    pub(super) payload: Option<Vec<u8>>,
    /// Before jitter. Or why it is not to be stored: then it is only shared.
    pub(super) ttl: Result<Duration, UnstoredReason>,
    /// The tags that only the value tells.
    pub(super) names: Vec<Tag>,
}

impl Permit {
    pub(super) fn leased(target: Target, lead: Lead<FlightKey, Entry>, lease: Lease, stamps: Vec<Head>) -> Self {
        Self::new(target, Kind::Leased(lease, lead, stamps), None)
    }

    pub(super) fn shared(target: Target, lead: Lead<FlightKey, Entry>, slot: Option<OwnedSemaphorePermit>) -> Self {
        target.site.counters.bypassed.one();
        Self::new(target, Kind::Shared(lead), slot)
    }

    pub(super) fn alone(target: Target, slot: Option<OwnedSemaphorePermit>) -> Self {
        target.site.counters.bypassed.one();
        Self::new(target, Kind::Alone, slot)
    }

    fn new(target: Target, kind: Kind, slot: Option<OwnedSemaphorePermit>) -> Self {
        target.site.counters.loads.one();
        Self { target, kind, slot }
    }

    /// The load begins.
    pub(super) fn begin(self) -> Begun {
        let step = match &self.kind {
            Kind::Leased(_, lead, _) | Kind::Shared(lead) => lead.load_step(),
            Kind::Alone => 0,
        };
        Begun { permit: self, step }
    }
}

/// A load that has begun. Dropped before it has ended, it leaves nothing behind.
#[derive(Debug)]
pub(super) struct Begun {
    permit: Permit,
    step: u32,
}

impl Begun {
    /// What tells calls from inside of the load that they are.
    pub(super) fn loading(&self) -> Arc<Loading> {
        nesting::loading(self.permit.target.engine.id, Arc::clone(&self.permit.target.key))
    }

    /// The load takes time: its lease has to be renewed.
    pub(super) fn keep_alive(&mut self) {
        if let Kind::Leased(lease, ..) = &mut self.permit.kind {
            lease.keep_alive();
        }
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.permit.target.engine
    }

    pub(super) fn site(&self) -> &SiteState {
        &self.permit.target.site
    }

    /// Whether anybody but the caller has a use for the value, so that it is worth encoding.
    pub(super) fn is_wanted(&self) -> bool {
        !matches!(self.permit.kind, Kind::Alone)
    }

    /// The load failed, or its value cannot be encoded: nothing to share or to store.
    pub(super) fn failed(self) {
        match self.permit.kind {
            Kind::Leased(lease, lead, _) => {
                drop(lease);
                lead.failed();
            }
            Kind::Shared(lead) => lead.failed(),
            Kind::Alone => {}
        }
    }

    pub(super) fn unstored(&self, reason: UnstoredReason) {
        self.site().counters.unstored(reason);
    }

    /// Shares the value and stores it, in the background. Does not wait: the caller's future would have to hold the value
    /// meanwhile, and be `Send` only if that is.
    pub(super) fn share_and_store(self, storable: Storable) {
        let Storable { payload, ttl, names } = storable;
        let Self { permit: Permit { target, kind, slot }, step } = self;
        drop(slot);
        let entry = Entry::loaded(payload);
        let (lead, lease, stamps) = match kind {
            Kind::Leased(lease, lead, stamps) => (lead, lease, stamps),
            Kind::Shared(lead) => {
                target.site.counters.unstored(ttl.err().unwrap_or(UnstoredReason::NoLease));
                return lead.found(entry, step);
            }
            Kind::Alone => return target.site.counters.unstored(UnstoredReason::NoLease),
        };
        lead.loaded(entry.clone(), step);
        Closing { target, lead, lease, entry, ttl, stamps, names }.start();
    }
}
