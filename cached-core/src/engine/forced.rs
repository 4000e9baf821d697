//! Forced refreshes, as their callers see them: [`refresh`](crate::refresh) returns when it is known whether the loaded
//! value was stored.
//!
//! A call is polled under a control, and only then finds out that it is a forced refresh. It takes a [`ForcedCall`] along,
//! a guard that is dropped with the last step of its load. Its caller waits until all guards are dropped.

use std::cell::RefCell;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

thread_local! {
    /// The guard for the calls that this thread makes, while it refreshes by force.
    static FORCED: RefCell<Option<ForcedCall>> = const { RefCell::new(None) };
}

/// Held by a call that refreshes by force, and then by its load, until the value is stored or not.
#[derive(Debug, Clone)]
pub(crate) struct ForcedCall {
    _ends: mpsc::Sender<Infallible>,
    /// For how many milliseconds its caller waits for the store at most.
    patience: Arc<AtomicU64>,
}

impl ForcedCall {
    /// Lets the caller wait for the store for this long, once the value is loaded.
    pub(super) fn waits_for(&self, budget: Duration) {
        self.patience.fetch_max(u64::try_from(budget.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// Waits for calls that refresh by force.
#[derive(Debug)]
pub(crate) struct ForcedCalls {
    /// Given to each of them.
    call: ForcedCall,
    ends: mpsc::Receiver<Infallible>,
}

impl ForcedCalls {
    pub(crate) fn new() -> Self {
        let (sender, ends) = mpsc::channel(1);
        Self { call: ForcedCall { _ends: sender, patience: Arc::default() }, ends }
    }

    /// Runs one poll of a future whose calls are forced refreshes.
    pub(crate) fn during<T>(&self, poll: impl FnOnce() -> T) -> T {
        struct Outer(Option<ForcedCall>);

        impl Drop for Outer {
            fn drop(&mut self) {
                FORCED.set(self.0.take());
            }
        }

        let _outer = Outer(FORCED.replace(Some(self.call.clone())));
        poll()
    }

    /// No more are made: waits until all have ended, for at most one budget.
    pub(crate) async fn ended(self) {
        let Self { call: ForcedCall { _ends: sender, patience }, mut ends } = self;
        drop(sender);
        // Without any call there need not be a runtime.
        if ends.try_recv() == Err(mpsc::error::TryRecvError::Empty) {
            let _ = timeout(Duration::from_millis(patience.load(Ordering::Relaxed)), ends.recv()).await;
        }
    }
}

/// The guard that a call takes along if this thread makes it now; `None` if it is no forced refresh.
pub(super) fn current() -> Option<ForcedCall> {
    FORCED.with_borrow(Option::clone)
}
