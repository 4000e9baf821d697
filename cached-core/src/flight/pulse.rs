//! Whether a leader goes on as soon as it can: what its followers may know of how it is polled.
//!
//! A future that waits is to be polled again once it has been woken. One whose owner does not do so (it is kept aside, or
//! stands behind work that blocks its thread) may never go on, and nobody else can tell it from one that still waits for
//! its database. So the waker is looked at: woken and not polled since is *idle*.

use crate::sync::{Mutex, locked};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use tokio::time::Instant;

/// Notes when the one that is polled through it was woken.
#[derive(Debug)]
pub(crate) struct Pulse {
    beat: Mutex<Beat>,
}

#[derive(Debug)]
struct Beat {
    /// Of the task that polls.
    waker: Option<Waker>,
    is_polled: bool,
    /// Since when it could go on.
    ready_since: Option<Instant>,
}

impl Pulse {
    /// Of one that can begin now.
    pub(crate) fn new() -> Arc<Self> {
        let ready_since = Some(Instant::now());
        Arc::new(Self { beat: Mutex::new(Beat { waker: None, is_polled: false, ready_since }) })
    }

    /// It can go on.
    pub(crate) fn is_ready(&self) {
        locked(&self.beat).ready_since.get_or_insert_with(Instant::now);
    }

    /// Since when it could go on and is not polled.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let beat = locked(&self.beat);
        beat.ready_since.filter(|_| !beat.is_polled)
    }

    fn begins(&self, waker: &Waker) {
        let mut beat = locked(&self.beat);
        beat.is_polled = true;
        // What wakes it from here on, it has not seen yet.
        beat.ready_since = None;
        match &mut beat.waker {
            Some(own) => own.clone_from(waker),
            own @ None => *own = Some(waker.clone()),
        }
    }

    fn ends(&self, is_over: bool) {
        let mut beat = locked(&self.beat);
        beat.is_polled = false;
        if is_over {
            beat.ready_since = None;
        } else if let Some(since) = &mut beat.ready_since {
            // It was woken while it was polled, which may have taken long.
            *since = Instant::now();
        }
    }
}

impl Wake for Pulse {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let waker = {
            let mut beat = locked(&self.beat);
            beat.ready_since.get_or_insert_with(Instant::now);
            beat.waker.clone()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Polls something, seen by the pulse if there is one. Not to be called inside of a poll by the same pulse.
pub(crate) fn poll<T>(
    pulse: Option<&Arc<Pulse>>,
    context: &mut Context<'_>,
    poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
) -> Poll<T> {
    let Some(pulse) = pulse else { return poll(context) };
    pulse.begins(context.waker());
    let mut polling = Polling { pulse, is_over: true };
    let waker = Waker::from(Arc::clone(pulse));
    let polled = poll(&mut Context::from_waker(&waker));
    polling.is_over = polled.is_ready();
    polled
}

/// As [`poll`], to the end.
pub(crate) async fn drive<F: Future>(pulse: Option<Arc<Pulse>>, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| poll(pulse.as_ref(), context, |context| future.as_mut().poll(context))).await
}

/// Ends with the poll, also if that panics.
struct Polling<'a> {
    pulse: &'a Pulse,
    is_over: bool,
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.pulse.ends(self.is_over);
    }
}
