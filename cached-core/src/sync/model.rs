//! What model checks have in common. All tasks of one run take turns in one thread; the scheduler chooses whose turn it
//! is wherever a task is about to take a lock, to let go of one, or to touch an atomic, and wherever it waits.
//!
//! No time passes. A task that nobody wakes is so found as a deadlock.

use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::futures::Notified;

/// Tokio's. Each of its operations is one step here, since no other task runs meanwhile; but others may run before and
/// after it, which the scheduler has to be told.
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

/// One that is never over. Tokio's needs a runtime, whose list of timers does not survive the tasks of a failed run.
pub(crate) async fn timeout<F: Future>(_: Duration, future: F) -> Result<F::Output, Infallible> {
    Ok(future.await)
}

/// A point at which the scheduler chooses.
fn others_may_run() {
    shuttle::thread::sleep(Duration::ZERO);
}

/// Runs `scenario` over and over: with random choices, and with few changes of turn at random places, which finds other
/// faults. `MODEL_RUNS` says how often. A failure prints what `shuttle::replay` takes.
pub(crate) fn check(scenario: impl Fn() + Clone + Send + Sync + 'static) {
    const RUNS: usize = 2_000;
    const TURNS: usize = 3;
    let runs = std::env::var("MODEL_RUNS").map_or(RUNS, |runs| runs.parse().expect("MODEL_RUNS is a number"));
    run(RandomScheduler::new(runs), scenario.clone());
    run(PctScheduler::new(TURNS, runs), scenario);
}

/// Runs a small `scenario` in each way there is. Returns in how many.
pub(crate) fn check_all(scenario: impl Fn() + Send + Sync + 'static) -> usize {
    run(DfsScheduler::new(None, false), scenario)
}

fn run(scheduler: impl Scheduler + 'static, scenario: impl Fn() + Send + Sync + 'static) -> usize {
    Runner::new(scheduler, Config::default()).run(scenario)
}
