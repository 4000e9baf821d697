//! The read path of a batch: many keys of one site, one read of the store, one load of what is missing.
//!
//! Keys that the first read does not answer go the way of single calls: one [`MissedCall`] per key, side by side in one
//! task. So a batch shares entries, flights and leases with single calls and with other batches. Only the load is
//! common to all keys that this batch has to load.
//!
//! # No deadlock
//! Two batches with overlapping keys may each hold what the other waits for. Neither waits in vain, because **a batch
//! loads what it holds without waiting for what others hold**. Once a missed call leads a flight or has its lease, and
//! until its load begins, it waits only for
//!
//! - the store steps of this batch's own misses, which the budget bounds. A missed call that begins to depend on others
//!   ([`Member::waits_for_others`]) is no longer waited for;
//! - a running load of this batch. That waits for others only where its body calls cached functions, and those waits
//!   are bounded;
//! - room among the bounded loads. This wait is limited by the time for waiting.
//!
//! Missed calls that wait are polled while a load runs. Those that get a permit meanwhile are loaded next, together.
//!
//! # On cancellation
//! A batch that is dropped hands its flights over and releases its leases in one task.
//!
//! # When Redis is down
//! All misses begin at the same time, so their store steps share one budget. Then one run of the body loads all keys.
//! It takes the room of one load.

mod call;
mod read;
mod unattributed;

pub use call::{batch, missing, run, settle};

use super::Engine;
use super::load::Next;
use super::miss::MissedCall;
use super::miss::batch_member::Member;
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

/// A missed call that needs the batch for its next step.
struct EndedMiss {
    /// Which of the batch's distinct ids it is about.
    at: usize,
    call: Box<MissedCall>,
    next: Next,
}

type MissFuture = Pin<Box<dyn Future<Output = EndedMiss> + Send>>;

/// The misses of a batch.
struct MissedCalls {
    under_way: FuturesUnordered<MissFuture>,
    ended: Vec<EndedMiss>,
    /// Each miss that is still deciding holds a clone.
    deciding: Arc<()>,
    releases: Arc<Releases>,
    /// Shows others whether the batch is polled.
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
            releases: Arc::new(engine.releases.of_batch()),
            pulse: Pulse::new(),
        }
    }

    /// Starts the miss of a key that the first read has not answered.
    fn start(&mut self, at: usize, target: Target, miss: Miss) {
        let member = Member::new(Arc::clone(&self.deciding), Arc::clone(&self.releases), Arc::clone(&self.pulse));
        self.go_on(at, Box::new(MissedCall::new(target, miss).in_batch(member)));
    }

    /// Continues a missed call whose value could not be decoded.
    fn reject(&mut self, at: usize, mut call: Box<MissedCall>, entry: &Entry, reason: MissReason) {
        call.reject(entry, reason);
        self.go_on(at, call);
    }

    fn go_on(&mut self, at: usize, mut call: Box<MissedCall>) {
        self.under_way.push(Box::pin(async move {
            let next = call.next().await;
            EndedMiss { at, call, next }
        }));
    }

    /// Announces that the batch has work that others may wait for.
    fn ready(&self) -> Arc<Pulse> {
        self.pulse.becomes_ready();
        Arc::clone(&self.pulse)
    }

    /// Lets all misses go on that can.
    fn poll(&mut self, context: &mut Context<'_>) {
        while let Poll::Ready(Some(mut ended)) = self.under_way.poll_next_unpin(context) {
            ended.call.has_decided();
            self.ended.push(ended);
        }
    }

    /// Whether there are misses that this batch may still have to load itself, without waiting for others.
    fn are_deciding(&self) -> bool {
        Arc::strong_count(&self.deciding) > 1
    }

    fn is_empty(&self) -> bool {
        self.under_way.is_empty() && self.ended.is_empty()
    }

    /// Waits until a miss has ended, or none is deciding any more. There has to be at least one.
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
