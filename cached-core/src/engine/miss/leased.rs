//! Waiting for others' leases: the looks in between, and what a call has seen.

use super::state::{LeadOutcome, LeaseWaits, MissedCall, WaitOutcome};
use crate::engine::flight::LeadKey;
use crate::engine::gate::get_watched;
use crate::engine::read::Reading;
use crate::reason::MissReason;
use crate::store::{GetWatched, Replace};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// LeaseWaits between two looks at a register that someone else leases.
const POLLS: [Duration; 2] = [Duration::from_millis(15), Duration::from_millis(20)];
/// As above, if the store tells of the register's change.
const TOLD_POLL: Duration = Duration::from_millis(100);

impl MissedCall {
    /// LeaseWaits until someone else's lease has become a value, or is gone.
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
                // The load that this call waited for has failed, or was invalidated, and another one has begun: to wait
                // for that as well would be to load one after another.
                Ok(Reading::Lease(head) | Reading::Worthless(head)) if waits.is_another(head) => {
                    return WaitOutcome::Found(LeadOutcome::Without(MissReason::WaitedTooLong));
                }
                Ok(Reading::Worthless(head)) if waits.is_worthless(head) => {
                    self.replace = Replace::unusable(head.as_bytes());
                    return WaitOutcome::Free;
                }
                Ok(Reading::Lease(_) | Reading::Worthless(_)) => {
                    // It would have waited as long without asking.
                    self.budget = before;
                    lead.idle_after_a_look_in_vain();
                    left = self.target.engine.settings.lease;
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

    /// LeaseWaits before the next look at a leased register. `false` if the time for waiting is over.
    pub(super) async fn pause(&mut self, waits: &mut LeaseWaits, lease_left: Duration) -> bool {
        if waits.count == 0 {
            self.count_miss(MissReason::Leased);
            self.target.site.counters.lease_waits.one();
        }
        let lease_left = lease_left.max(Duration::from_millis(1));
        let pause = POLLS[waits.count.min(POLLS.len() - 1)].min(lease_left);
        waits.count += 1;
        self.waits_for_others();
        // In a batch, looks go out together: to wait for one message each would be more commands.
        if self.member.is_none()
            && let Some(is_early) = Box::pin(self.pause_until_told(lease_left)).await
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

    /// As [`pause`](Self::pause), but only until the register changes; `None` if nobody would tell of that.
    async fn pause_until_told(&mut self, lease_left: Duration) -> Option<bool> {
        let target = self.target.clone();
        // LeaseWaits from before the look on, so that no change is missed in between.
        let waiter = target.engine.near_in_use()?.waiter(target.place());
        let keys = std::slice::from_ref(target.place());
        let before = self.budget;
        let watched =
            self.budget.aside(&target.engine, |store, within| get_watched(store, GetWatched::new(keys, within))).await;
        // The call waits anyway.
        self.budget = before;
        let register = watched.ok()??.registers.pop().flatten();
        if !register.is_some_and(|register| target.waits_for(&register)) {
            // It has changed by now, or is nothing to wait for.
            return Some(true);
        }
        let until = (Instant::now() + TOLD_POLL.min(lease_left)).min(self.deadline);
        let _ = timeout_at(until, waiter.changed()).await;
        Some(Instant::now() < self.deadline)
    }
}
