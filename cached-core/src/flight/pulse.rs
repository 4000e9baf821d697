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
    phase: Phase,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// It can go on, since then.
    Ready(Instant),
    Polled {
        /// Whether it has been woken since that began.
        is_woken: bool,
    },
    Waiting,
    /// There is nothing to be polled; whatever wakes it now comes too late.
    Over,
}

impl Pulse {
    /// Of one that can begin now.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { beat: Mutex::new(Beat { waker: None, phase: Phase::Ready(Instant::now()) }) })
    }

    /// There is something to be polled.
    pub(crate) fn becomes_ready(&self) {
        let mut beat = locked(&self.beat);
        if let Phase::Waiting | Phase::Over = beat.phase {
            beat.phase = Phase::Ready(Instant::now());
        }
    }

    /// Since when it could go on and is not polled.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        if let Phase::Ready(since) = locked(&self.beat).phase { Some(since) } else { None }
    }

    fn begins(&self, waker: &Waker) {
        let mut beat = locked(&self.beat);
        // What wakes it from here on, it may not have seen.
        beat.phase = Phase::Polled { is_woken: false };
        if beat.waker.as_ref().is_some_and(|own| own.will_wake(waker)) {
            return;
        }
        let former = beat.waker.replace(waker.clone());
        drop(beat);
        // Not while the lock is held: it may be the last of a task.
        drop(former);
    }

    fn ends(&self, is_over: bool) {
        let mut beat = locked(&self.beat);
        beat.phase = match beat.phase {
            _ if is_over => Phase::Over,
            // Since now: the poll may have taken long.
            Phase::Polled { is_woken: true } => Phase::Ready(Instant::now()),
            _ => Phase::Waiting,
        };
    }
}

impl Wake for Pulse {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let waker = {
            let mut beat = locked(&self.beat);
            beat.phase = match beat.phase {
                Phase::Waiting => Phase::Ready(Instant::now()),
                Phase::Polled { .. } => Phase::Polled { is_woken: true },
                phase @ (Phase::Ready(_) | Phase::Over) => phase,
            };
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
