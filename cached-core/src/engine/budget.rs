//! The time that one call may spend on the store, and the only way to the store.
//!
//! Every step of a call goes through its [`Budget`]: the budget measures the step, bounds it by the time that is left,
//! and reports to the breaker how it ended. Time in which a call waits for other callers does not count.
//!
//! Work that no caller waits for (renewing and releasing leases, probes, queued invalidations) has bounds of its own
//! and uses [`Gate::off_path`](super::gate::Gate::off_path).
//!
//! # On cancellation
//! Some callers have less patience than the budget and drop a step before it can time out. The breaker still learns
//! that the store did not answer, or it would never open for them.

use super::Engine;
use crate::error::{FaultKind, StoreError};
use crate::store::{Ping, Store};
use futures_util::future::join;
use std::time::Duration;
use tokio::time::Instant;

/// The store's silence counts as an outage only after the call has waited for one part in this many of its budget.
const OUTAGE_AFTER: u32 = 2;
/// One part in this many of a budget is kept for the last step of a write, whatever the others took.
const LAST: u32 = 10;

/// What a call has spent on the store so far, and how much it may spend.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    total: Duration,
    spent: Duration,
    /// For how long this call has waited since the store's last answer, in microseconds. Small, because every call
    /// holds it.
    unanswered: u32,
}

impl Budget {
    pub(super) fn new(total: Duration) -> Self {
        Self { total, spent: Duration::ZERO, unanswered: 0 }
    }

    pub(super) fn left(&self) -> Duration {
        self.total.saturating_sub(self.spent)
    }

    /// Counts time that another caller has spent on the store while this call waited for it.
    pub(super) fn charge(&mut self, time: Duration) {
        self.spent += time;
    }

    /// Counts steps that ran side by side with this budget's own.
    pub(super) fn alongside(&mut self, other: Self) {
        self.spent = self.spent.max(other.spent);
        self.unanswered = self.unanswered.min(other.unanswered);
    }

    /// Keeps a tenth for a step that has to be tried whatever was spent before.
    pub(super) fn with_last_step(mut self) -> Self {
        self.spent = self.spent.min(self.total.saturating_sub(self.total / LAST));
        self
    }

    /// Takes a step on the store, which begins now.
    pub(super) fn step<'s, T, F>(
        &mut self,
        engine: &'s Engine,
        take: impl FnOnce(&'s dyn Store, Duration) -> F,
    ) -> impl Future<Output = Result<T, StoreError>>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let left = self.left();
        let has_time = self.would_be_outage(left);
        // A step that is not sent says nothing about the store.
        let step = (!left.is_zero()).then(|| (take(engine.store.on_path(), left), StepTimer::start(self, engine)));
        async move {
            let Some((step, measured)) = step else { return Err(used_up()) };
            let answer = step.await;
            measured.ended(answer.as_ref().err().is_none_or(|error| error.kind.is_answer()));
            match answer {
                // The rest of the budget was too short to expect an answer, so this is no sign of an outage.
                Err(error) if error.kind == FaultKind::Timeout && !has_time => Err(error),
                answer => engine.noted(answer),
            }
        }
    }

    /// Takes two steps on the store side by side.
    pub(super) async fn both<'s, A, B, FA, FB>(
        &mut self,
        engine: &'s Engine,
        one: impl FnOnce(&'s dyn Store, Duration) -> FA,
        other: impl FnOnce(&'s dyn Store, Duration) -> FB,
    ) -> (Result<A, StoreError>, Result<B, StoreError>)
    where
        FA: Future<Output = Result<A, StoreError>>,
        FB: Future<Output = Result<B, StoreError>>,
    {
        let mut beside = *self;
        let answers = join(self.step(engine, one), beside.step(engine, other)).await;
        self.alongside(beside);
        answers
    }

    /// Takes a step on a connection beside the common one, with half of the time that is left: if it fails, the common
    /// one is still to be asked. That this connection is down does not mean that the store is, so the breaker learns
    /// only of answers.
    pub(super) async fn aside<'s, T, F>(
        &mut self,
        engine: &'s Engine,
        take: impl FnOnce(&'s dyn Store, Duration) -> F,
    ) -> Result<Option<T>, StoreError>
    where
        F: Future<Output = Result<Option<T>, StoreError>>,
    {
        let within = self.left() / 2;
        if within.is_zero() {
            return Err(used_up());
        }
        let began = Instant::now();
        let answer = take(engine.store.on_path(), within).await;
        self.waited(began.elapsed());
        if let Ok(Some(_)) = &answer {
            self.unanswered = 0;
            engine.noted(answer)
        } else {
            answer
        }
    }
}

impl Engine {
    /// The budget of a call that begins now.
    pub(super) fn budget(&self) -> Budget {
        Budget::new(self.settings.budget)
    }

    /// Asks the store whether it is there.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        self.budget().step(self, |store, within| store.ping(Ping::new(within))).await
    }
}

impl Budget {
    /// Whether the store's silence for `time` from now on would count as an outage.
    fn would_be_outage(&self, time: Duration) -> bool {
        Duration::from_micros(self.unanswered.into()) + time >= self.total / OUTAGE_AFTER
    }

    fn waited(&mut self, time: Duration) {
        self.spent += time;
        self.unanswered = self.unanswered.saturating_add(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
    }
}

fn used_up() -> StoreError {
    StoreError::new(FaultKind::Timeout, "the call has used up its budget")
}

/// A step under way.
struct StepTimer<'b, 's> {
    budget: &'b mut Budget,
    engine: &'s Engine,
    began: Instant,
    /// The step has ended, and its caller knows how.
    has_ended: bool,
}

impl<'b, 's> StepTimer<'b, 's> {
    fn start(budget: &'b mut Budget, engine: &'s Engine) -> Self {
        Self { budget, engine, began: Instant::now(), has_ended: false }
    }

    fn ended(mut self, is_answer: bool) {
        self.has_ended = true;
        self.budget.waited(self.began.elapsed());
        if is_answer {
            self.budget.unanswered = 0;
        }
    }
}

impl Drop for StepTimer<'_, '_> {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        self.budget.waited(self.began.elapsed());
        if self.budget.would_be_outage(Duration::ZERO) {
            let error = StoreError::new(FaultKind::Timeout, "the caller stopped waiting");
            let _ = self.engine.noted(Err::<(), _>(error));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOTAL: Duration = Duration::from_millis(100);

    #[test]
    fn a_budget_ends_at_its_total() {
        let mut budget = Budget::new(TOTAL);
        budget.charge(TOTAL / 4);
        assert_eq!(budget.left(), 3 * TOTAL / 4);
        budget.charge(TOTAL);
        assert_eq!(budget.left(), Duration::ZERO);
        assert_eq!(budget.with_last_step().left(), TOTAL / 10);
        assert_eq!(Budget::new(TOTAL).with_last_step().left(), TOTAL, "what is left is not cut");
    }

    #[test]
    fn steps_side_by_side_count_once() {
        let (mut one, mut other) = (Budget::new(TOTAL), Budget::new(TOTAL));
        one.charge(TOTAL / 2);
        other.charge(TOTAL / 4);
        one.alongside(other);
        assert_eq!(one.left(), TOTAL / 2);
        other.alongside(one);
        assert_eq!(other.left(), TOTAL / 2);
    }
}
