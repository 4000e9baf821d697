//! Whether a leader is polled once it can continue, which decides whether its followers wait for it.
//!
//! A future that waits must be polled again once it has been woken. If its owner does not poll it (it keeps the future
//! aside, or blocks the thread), the future may never continue, and nobody else can tell it from one that still waits
//! for its database. So a pulse watches the waker: a future that was woken and not polled since is *idle*.

use crate::sync::{Mutex, locked};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use tokio::time::Instant;

/// Notes when the future that is polled through it was woken.
#[derive(Debug)]
pub(crate) struct Pulse {
    beat: Mutex<Beat>,
}

#[derive(Debug)]
struct Beat {
    /// The waker of the task that polls.
    waker: Option<Waker>,
    phase: Phase,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// It could continue since then.
    Ready(Instant),
    Polled {
        /// Whether it has been woken since this poll began.
        is_woken: bool,
    },
    Waiting,
    /// There is nothing left to poll, so a wake means nothing.
    Over,
}

impl Pulse {
    /// The pulse of a future that can begin now.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { beat: Mutex::new(Beat { waker: None, phase: Phase::Ready(Instant::now()) }) })
    }

    /// Notes that there is something to poll.
    pub(crate) fn becomes_ready(&self) {
        let mut beat = locked(&self.beat);
        if let Phase::Waiting | Phase::Over = beat.phase {
            beat.phase = Phase::Ready(Instant::now());
        }
    }

    /// Since when it could have continued but was not polled.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        if let Phase::Ready(since) = locked(&self.beat).phase { Some(since) } else { None }
    }

    fn begins(&self, waker: &Waker) {
        let mut beat = locked(&self.beat);
        // A wake during the poll counts, because the future may already have passed what woke it.
        beat.phase = Phase::Polled { is_woken: false };
        if beat.waker.as_ref().is_some_and(|own| own.will_wake(waker)) {
            return;
        }
        let former = beat.waker.replace(waker.clone());
        drop(beat);
        // Dropped without the lock, because it may be the last reference to a task.
        drop(former);
    }

    fn ends(&self, is_over: bool) {
        let mut beat = locked(&self.beat);
        beat.phase = match beat.phase {
            _ if is_over => Phase::Over,
            // Since now, because the poll may have taken long.
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

/// Polls through the pulse, if there is one. Must not be called inside of a poll through the same pulse.
pub(crate) fn poll<T>(
    pulse: Option<&Arc<Pulse>>,
    context: &mut Context<'_>,
    poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
) -> Poll<T> {
    let Some(pulse) = pulse else { return poll(context) };
    pulse.begins(context.waker());
    let mut guard = PollGuard { pulse, is_over: true };
    let waker = Waker::from(Arc::clone(pulse));
    let polled = poll(&mut Context::from_waker(&waker));
    guard.is_over = polled.is_ready();
    polled
}

/// Like [`poll`], until the future has ended.
pub(crate) async fn drive<F: Future>(pulse: Option<Arc<Pulse>>, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| poll(pulse.as_ref(), context, |context| future.as_mut().poll(context))).await
}

/// Notes the end of a poll, also if the poll panics.
struct PollGuard<'a> {
    pulse: &'a Pulse,
    is_over: bool,
}

impl Drop for PollGuard<'_> {
    fn drop(&mut self) {
        self.pulse.ends(self.is_over);
    }
}
