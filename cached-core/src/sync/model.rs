//! What model checks have in common. All tasks of one run take turns in one thread. The scheduler chooses the next task
//! whenever a task waits, or is about to take a lock, release one or use an atomic.
//!
//! No time passes, so a task that nobody wakes is found as a deadlock.

use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::futures::Notified;

/// Tokio's `Notify`. Each of its operations is one step here, because no other task runs meanwhile. But others may run
/// before and after it, so the scheduler must choose there.
#[derive(Debug, Default)]
pub(crate) struct Notify(tokio::sync::Notify);

impl Notify {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn notified(&self) -> Notified<'_> {
        others_may_run();
        self.0.notified()
    }

    pub(crate) fn notify_waiters(&self) {
        others_may_run();
        self.0.notify_waiters();
        others_may_run();
    }
}

/// A timeout that never ends. Tokio's needs a runtime, whose list of timers does not survive the tasks of a failed run.
pub(crate) async fn timeout<F: Future>(_: Duration, future: F) -> Result<F::Output, Infallible> {
    Ok(future.await)
}

/// A point at which the scheduler chooses the next task.
fn others_may_run() {
    shuttle::thread::sleep(Duration::ZERO);
}

/// Runs `scenario` over and over: with random choices, and with few switches between tasks at random places, which
/// finds other faults. `MODEL_RUNS` says how often. A failure prints the schedule for `shuttle::replay`.
pub(crate) fn check(scenario: impl Fn() + Clone + Send + Sync + 'static) {
    const RUNS: usize = 2_000;
    const SWITCHES: usize = 3;
    let runs = std::env::var("MODEL_RUNS").map_or(RUNS, |runs| runs.parse().expect("MODEL_RUNS is a number"));
    run(RandomScheduler::new(runs), scenario.clone());
    run(PctScheduler::new(SWITCHES, runs), scenario);
}

/// Runs a small `scenario` in every interleaving. Returns how many there are.
pub(crate) fn check_all(scenario: impl Fn() + Send + Sync + 'static) -> usize {
    run(DfsScheduler::new(None, false), scenario)
}

fn run(scheduler: impl Scheduler + 'static, scenario: impl Fn() + Send + Sync + 'static) -> usize {
    Runner::new(scheduler, Config::default()).run(scenario)
}
