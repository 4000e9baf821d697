//! The end of a lease after a load that went well: FILL, or RELEASE if the value is not to be stored.
//!
//! Runs in the background; the caller has its value. The flight goes on until it is done: who comes meanwhile learns
//! whether the value was proved current, and does not run into a lease that is about to end.

use super::FlightKey;
use super::target::Target;
use crate::envelope::Entry;
use crate::flight::Lead;
use crate::lease::Lease;
use crate::reason::UnstoredReason;
use bytes::Bytes;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

pub(super) struct Closing {
    pub(super) target: Target,
    pub(super) lead: Lead<FlightKey, Entry>,
    pub(super) lease: Lease,
    /// What to store for how long, or why nothing is stored.
    pub(super) register: Result<(Bytes, Duration), UnstoredReason>,
}

impl Closing {
    /// Starts it, if there is room.
    pub(super) fn start(self) {
        let Ok(room) = Arc::clone(&self.target.engine.background).try_acquire_owned() else {
            return self.target.site.counters.unstored(UnstoredReason::Overflow);
        };
        let mut closing = Box::pin(self.run());
        // The command is on its way at once, and a store in memory has no need of a task.
        let is_done = closing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
        if !is_done {
            tokio::spawn(async move {
                closing.await;
                drop(room);
            });
        }
    }

    async fn run(self) {
        let Target { engine, site, key, .. } = &self.target;
        let counters = &site.counters;
        // Those who wait to hear how it ends have the same budget.
        let within = engine.settings.budget;
        let (register, ttl) = match self.register {
            Ok(stored) if engine.may_use_store() => stored,
            unstored => {
                counters.unstored(unstored.err().unwrap_or(UnstoredReason::Fault));
                // If it fails the lease runs out by itself.
                let _ = engine.noted(self.lease.release(within).await);
                return self.lead.not_proved();
            }
        };
        let size = register.len() as u64;
        let fill = self.lead.store_step();
        let answer = engine.store.fill(key, self.lease.head(), register, ttl, within).await;
        match engine.noted(answer) {
            Ok(true) => {
                counters.stored.one();
                counters.bytes_written.add(size);
                self.lease.forget();
                self.lead.proved_current(fill);
            }
            Ok(false) => {
                counters.unstored(UnstoredReason::LeaseLost);
                self.lease.forget();
                self.lead.not_proved();
            }
            Err(_) => {
                counters.unstored(UnstoredReason::Fault);
                self.lead.not_proved();
            }
        }
    }
}
