//! The runtime that drives a connection.
//!
//! A task of the runtime on which a connection was made drives it. Another runtime may share the cache, as in tests
//! that run side by side. When the first runtime ends, its connections are gone. When nobody drives it, its connections
//! answer nobody. Neither says anything about the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

#[derive(Debug)]
pub(super) struct Home {
    runtime: Handle,
    is_gone: Arc<AtomicBool>,
    /// It is dropped with the connection, and ends the task that tells when the runtime ends.
    _stays: oneshot::Sender<()>,
}

/// Says that the runtime is gone when the runtime drops its tasks.
struct Farewell(Arc<AtomicBool>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Home {
    /// The runtime that this is called on.
    pub(super) fn here() -> Self {
        let (stays, gone) = oneshot::channel();
        let is_gone = Arc::<AtomicBool>::default();
        let farewell = Farewell(Arc::clone(&is_gone));
        tokio::spawn(async move {
            let _farewell = farewell;
            let _ = gone.await;
        });
        Self { runtime: Handle::current(), is_gone, _stays: stays }
    }

    /// Whether the runtime has ended.
    pub(super) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Acquire)
    }

    /// Whether the runtime runs: it carries out a task before the deadline.
    pub(super) async fn runs(&self, deadline: Instant) -> bool {
        if self.runtime.id() == Handle::current().id() {
            return true;
        }
        matches!(timeout_at(deadline, self.runtime.spawn(async {})).await, Ok(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    fn runs(home: &Home, on: &tokio::runtime::Runtime, within: Duration) -> bool {
        on.block_on(async { home.runs(Instant::now() + within).await })
    }

    #[test]
    fn a_runtime_that_stands_still_or_is_gone_does_not_run() {
        let (first, other) = (runtime(), runtime());
        let home = first.block_on(async { Home::here() });
        assert!(runs(&home, &first, Duration::from_secs(10)));
        assert!(!runs(&home, &other, Duration::from_millis(1)), "nobody drives it");
        assert!(!home.is_gone());
        let driving = std::thread::spawn(move || {
            let (stop, stopped) = oneshot::channel::<()>();
            (stop, std::thread::spawn(move || first.block_on(async { stopped.await.unwrap_err() })))
        });
        let (stop, driver) = driving.join().unwrap();
        assert!(runs(&home, &other, Duration::from_secs(10)), "somebody does");
        drop(stop);
        driver.join().unwrap();
        assert!(home.is_gone());
        assert!(!runs(&home, &other, Duration::from_secs(10)), "it has ended");
    }
}
