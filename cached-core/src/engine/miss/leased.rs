//! Waits for others' leases, and reads the register in between.

use super::state::{LeadOutcome, LeaseWaits, MissedCall, WaitOutcome};
use crate::engine::flight::LeadKey;
use crate::engine::gate::get_watched;
use crate::engine::read::Reading;
use crate::reason::MissReason;
use crate::store::{GetWatched, Replace};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The pauses between two reads of a register that someone else leases.
const POLLS: [Duration; 2] = [Duration::from_millis(15), Duration::from_millis(20)];
/// The longest pause if the store announces that the register has changed.
const NOTIFIED_POLL: Duration = Duration::from_millis(100);

impl MissedCall {
    /// Waits until someone else's lease has become a value, or is gone.
    pub(super) async fn await_lease(
        &mut self,
        lead: &LeadKey,
        waits: &mut LeaseWaits,
        mut left: Duration,
    ) -> WaitOutcome {
        loop {
            lead.idle();
            if !self.pause(waits, left).await {
                return WaitOutcome::Found(LeadOutcome::Without(MissReason::WaitedTooLong));
            }
            let step = lead.store_step();
            if let Err(reason) = self.target.may_read() {
                return WaitOutcome::Found(LeadOutcome::Without(reason));
            }
            let before = self.budget;
            match self.target.read(&mut self.budget).await {
                Ok(Reading::Value(entry)) => return WaitOutcome::Found(LeadOutcome::Found(entry, step)),
                Ok(Reading::Fallback(entry)) => {
                    self.fallback = Some(entry);
                    return WaitOutcome::Free;
                }
                // The load that this call has waited for failed or was invalidated, and another one has begun. If all
                // calls waited for that as well, they would load one after another.
                Ok(Reading::Lease(head) | Reading::Worthless(head)) if waits.is_another(head) => {
                    return WaitOutcome::Found(LeadOutcome::Without(MissReason::WaitedTooLong));
                }
                Ok(Reading::Worthless(head)) if waits.is_worthless(head) => {
                    self.replace = Replace::unusable(head.as_bytes());
                    return WaitOutcome::Free;
                }
                Ok(Reading::Lease(_) | Reading::Worthless(_)) => {
                    // The call would have waited as long without this read.
                    self.budget = before;
                    lead.idle_after_reading_in_vain();
                    left = self.target.engine.settings.lease_ttl;
                }
                Ok(Reading::Unusable(replace)) => {
                    self.found_unusable(replace);
                    return WaitOutcome::Free;
                }
                Ok(Reading::Nothing) => return WaitOutcome::Free,
                Ok(Reading::Base(base)) => {
                    waits.moves();
                    self.goes_beside(base);
                    return WaitOutcome::Free;
                }
                Ok(Reading::Moved) => {
                    waits.moves();
                    self.comes_back();
                    return WaitOutcome::Free;
                }
                Err(error) => return WaitOutcome::Found(LeadOutcome::Without(error.kind.into())),
            }
        }
    }

    /// Waits before the next read of a leased register. `false` if the time for waiting is over.
    pub(super) async fn pause(&mut self, waits: &mut LeaseWaits, lease_left: Duration) -> bool {
        if waits.count == 0 {
            self.count_miss(MissReason::Leased);
            self.target.site.counters.lease_waits.one();
        }
        let lease_left = lease_left.max(Duration::from_millis(1));
        let pause = POLLS[waits.count.min(POLLS.len() - 1)].min(lease_left);
        waits.count += 1;
        self.waits_for_others();
        // The reads of a batch go out together: one watched read for each key would be more commands.
        if self.member.is_none()
            && let Some(is_early) = Box::pin(self.pause_until_notified(lease_left)).await
        {
            return is_early;
        }
        let until = Instant::now() + pause;
        if until >= self.deadline {
            return false;
        }
        tokio::time::sleep_until(until).await;
        true
    }

    /// As [`pause`](Self::pause), but no longer than until the register changes. `None` if the store does not announce
    /// changes now.
    async fn pause_until_notified(&mut self, lease_left: Duration) -> Option<bool> {
        let target = self.target.clone();
        // Waits from before the read on, so that it misses no change in between.
        let waiter = target.engine.near_in_use()?.waiter(target.place());
        let keys = std::slice::from_ref(target.place());
        let before = self.budget;
        let watched =
            self.budget.aside(&target.engine, |store, within| get_watched(store, GetWatched::new(keys, within))).await;
        // The call would have waited as long without this read.
        self.budget = before;
        let register = watched.ok()??.registers.pop().flatten();
        if !register.is_some_and(|register| target.waits_for(&register)) {
            // The register has changed by now, or holds nothing to wait for.
            return Some(true);
        }
        let until = (Instant::now() + NOTIFIED_POLL.min(lease_left)).min(self.deadline);
        let _ = timeout_at(until, waiter.changed()).await;
        Some(Instant::now() < self.deadline)
    }
}
