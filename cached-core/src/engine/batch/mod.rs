//! The read path of a batch: many keys of one site, one look at the store, one load of what is missing.
//!
//! What the first look does not answer goes the way of single calls, one [`MissedCall`] per key, all of them side by side in one
//! task: so a batch shares entries, flights and leases with single calls and with other batches. Only the load is one for
//! all keys that are this batch's to load.
//!
//! # No deadlock
//! Two batches with overlapping keys each hold what the other waits for. Neither ever waits in vain, since **what is held is
//! loaded without waiting for what others hold**. From when a lookup leads a flight or has its lease until its load begins,
//! it waits for nothing but
//!
//! - steps on the store of this batch's own misses, which the budget bounds: a lookup that comes to depend on others
//!   ([`Member::waits_for_others`]) is not waited for any more;
//! - a load of this batch's own that is running. It waits for others only where its body calls cached functions, and in
//!   there waits are bounded;
//! - room among the loads that are bounded, itself bounded by the time for waiting.
//!
//! MissedCalls that wait are polled while a load runs. Those that end with a permit meanwhile are loaded next, together.
//!
//! # On cancellation
//! Dropped, it hands its flights over and releases its leases, in one task.
//!
//! # When Redis is down
//! All misses begin at the same time, so their steps on the store share one budget. Then all keys are loaded by one run of
//! the body, which takes room for one.

mod call;
mod read;
mod unattributed;

pub use call::{batch, missing, run, settle};

use super::Engine;
use super::load::Next;
use super::miss::MissedCall;
use super::miss::member::Member;
use super::read::Miss;
use super::target::Target;
use crate::envelope::Entry;
use crate::flight::pulse::{self, Pulse};
use crate::lease::Releases;
use crate::reason::MissReason;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A lookup that has ended, for now.
struct EndedMiss {
    /// Which of the batch's keys it is about.
    at: usize,
    lookup: Box<MissedCall>,
    turn: Next,
}

type MissFuture = Pin<Box<dyn Future<Output = EndedMiss> + Send>>;

/// The misses of a batch.
struct MissedCalls {
    under_way: FuturesUnordered<MissFuture>,
    ended: Vec<EndedMiss>,
    /// As many clones as misses are deciding.
    deciding: Arc<()>,
    releases: Arc<Releases>,
    /// By which others see whether the batch is polled.
    pulse: Arc<Pulse>,
}

impl fmt::Debug for MissedCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (under_way, ended) = (self.under_way.len(), self.ended.len());
        f.debug_struct("MissedCalls").field("under_way", &under_way).field("ended", &ended).finish_non_exhaustive()
    }
}

impl MissedCalls {
    fn new(engine: &Engine) -> Self {
        Self {
            under_way: FuturesUnordered::new(),
            ended: Vec::new(),
            deciding: Arc::new(()),
            releases: Arc::new(Releases::new(Arc::clone(engine.store.off_path()))),
            pulse: Pulse::new(),
        }
    }

    /// The key's first look did not hit.
    fn start(&mut self, at: usize, target: Target, miss: Miss) {
        let member = Member::new(Arc::clone(&self.deciding), Arc::clone(&self.releases), Arc::clone(&self.pulse));
        self.go_on(at, Box::new(MissedCall::new(target, miss).in_batch(member)));
    }

    /// The value that the lookup found could not be decoded.
    fn reject(&mut self, at: usize, mut lookup: Box<MissedCall>, entry: &Entry, reason: MissReason) {
        lookup.reject(entry, reason);
        self.go_on(at, lookup);
    }

    fn go_on(&mut self, at: usize, mut lookup: Box<MissedCall>) {
        self.under_way.push(Box::pin(async move {
            let turn = lookup.next().await;
            EndedMiss { at, lookup, turn }
        }));
    }

    /// The batch has something to do that others may wait for.
    fn ready(&self) -> Arc<Pulse> {
        self.pulse.becomes_ready();
        Arc::clone(&self.pulse)
    }

    /// Lets those go on that can.
    fn poll(&mut self, context: &mut Context<'_>) {
        while let Poll::Ready(Some(mut ended)) = self.under_way.poll_next_unpin(context) {
            ended.lookup.has_decided();
            self.ended.push(ended);
        }
    }

    /// Whether there are misses that may still turn out to be this batch's to load without waiting for others.
    fn are_deciding(&self) -> bool {
        Arc::strong_count(&self.deciding) > 1
    }

    fn is_empty(&self) -> bool {
        self.under_way.is_empty() && self.ended.is_empty()
    }

    /// Waits until one has ended, or none is deciding any more. There have to be some.
    async fn progress(&mut self) {
        let (were_deciding, pulse) = (self.are_deciding(), Arc::clone(&self.pulse));
        let mut progress = |context: &mut Context<'_>| {
            self.poll(context);
            let has_decided = were_deciding && !self.are_deciding();
            if has_decided || !self.ended.is_empty() || self.under_way.is_empty() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        };
        poll_fn(|context| pulse::poll(Some(&pulse), context, &mut progress)).await;
    }

    fn take_ended(&mut self) -> Vec<EndedMiss> {
        std::mem::take(&mut self.ended)
    }
}
