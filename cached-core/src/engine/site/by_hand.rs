//! The states of entries by hand: one for each set of options, so that statistics and notices are as those of a
//! function.
//!
//! Options are values, so a program may make sets of them without end. Beyond [`MOST`], a state serves one call only:
//! the options hold, but nothing is counted.

use super::super::Engine;
use super::{SiteRef, SiteState};
use crate::site::by_hand::{ENTRY, HandOptions, Resolved};
use crate::stats::SiteStats;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// The most sets of options that have a state of their own.
const MOST: usize = 256;

/// The states by their options.
#[derive(Debug, Default)]
pub(crate) struct HandSites {
    states: RwLock<HashMap<HandOptions, Arc<SiteState>>>,
    has_overflown: AtomicBool,
}

impl HandSites {
    fn get(&self, options: &HandOptions) -> Option<Arc<SiteState>> {
        self.states.read().unwrap_or_else(PoisonError::into_inner).get(options).cloned()
    }

    pub(in crate::engine) fn all(&self) -> Vec<Arc<SiteState>> {
        self.states.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

impl Engine {
    /// This cache's state for entries with these options.
    pub(crate) fn site_by_hand(&self, options: &HandOptions) -> SiteRef {
        if *options == HandOptions::default() {
            return self.site(&ENTRY);
        }
        if let Some(state) = self.by_hand.get(options) {
            return SiteRef::Other(state);
        }
        let Resolved { spec, problems } = options.resolve();
        let made = Arc::new(SiteState::of(&ENTRY, &spec, options.name, &self.settings, || self.near()));
        let mut states = self.by_hand.states.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = states.get(options) {
            return SiteRef::Other(Arc::clone(state));
        }
        if states.len() < MOST {
            states.insert(*options, Arc::clone(&made));
            drop(states);
            let entry = made.path();
            for problem in &problems {
                tracing::error!(entry, "{problem}");
            }
        } else if !self.by_hand.has_overflown.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                entry = made.path(),
                "entries by hand have more than {MOST} sets of options, and those that came last are not in the \
                 statistics; give options that are computed for each call (`stale_while_revalidate`, `near`, `none_ttl` \
                 and the like) a few fixed values; `ttl`, tags and closures may differ from call to call"
            );
        }
        SiteRef::Other(made)
    }
}

/// Makes one row of the rows of entries by hand that have the same name.
pub(in crate::engine) fn merged(rows: impl Iterator<Item = SiteStats>) -> Vec<SiteStats> {
    let mut merged: Vec<SiteStats> = Vec::new();
    for row in rows {
        match merged.iter_mut().find(|other| other.path == row.path) {
            Some(other) => other.add(&row),
            None => merged.push(row),
        }
    }
    merged
}
