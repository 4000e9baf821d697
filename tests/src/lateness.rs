//! How late this machine is: how much a bound on time may be exceeded when other work keeps the processor.

use std::time::Duration;
use tokio::time::{Instant, sleep};

const TICK: Duration = Duration::from_millis(2);

/// Runs the work, and measures beside it how late this runtime's timers were in all. Work that waits for its own
/// timers, or for a process on this machine, cannot be expected to be earlier.
pub async fn lateness_of<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let mut late = Duration::ZERO;
    let ticks = async {
        loop {
            let due = Instant::now() + TICK;
            sleep(TICK).await;
            // A timer counts in milliseconds.
            late += due.elapsed().saturating_sub(Duration::from_millis(1));
        }
    };
    let done = tokio::select! {
        biased;
        done = work => done,
        () = ticks => unreachable!("it never ends"),
    };
    (done, late)
}
