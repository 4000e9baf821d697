//! Counters that only grow.

use crate::reason::Reason;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A counter that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    #[inline]
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn one(&self) {
        self.add(1);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A counter that many threads use at once: each adds to its own part, so that they do not share a cache line.
#[derive(Debug, Default)]
pub(crate) struct StripedCounter([PaddedCounter; 8]);

/// A counter on its own cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
struct PaddedCounter(Counter);

thread_local! {
    /// The index of this thread's part.
    static STRIPE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % 8
    };
}

impl StripedCounter {
    #[inline]
    pub(crate) fn one(&self) {
        self.0[STRIPE.with(|stripe| *stripe)].0.one();
    }

    /// Takes one back, because what was counted did not happen.
    pub(crate) fn take_back(&self) {
        self.0[STRIPE.with(|stripe| *stripe)].0.add(u64::MAX);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.iter().map(|part| part.0.get()).fold(0, u64::wrapping_add)
    }
}

/// A counter for each reason of a kind.
#[derive(Debug)]
pub(crate) struct ByReason<R>(Box<[Counter]>, PhantomData<R>);

impl<R: Reason> Default for ByReason<R> {
    fn default() -> Self {
        Self(R::ALL.iter().map(|_| Counter::default()).collect(), PhantomData)
    }
}

impl<R: Reason> ByReason<R> {
    #[inline]
    pub(crate) fn of(&self, reason: R) -> &Counter {
        &self.0[reason.index()]
    }

    /// The counts of all reasons that occurred.
    pub(crate) fn nonzero(&self) -> BTreeMap<R, u64> {
        R::ALL.iter().map(|reason| (*reason, self.of(*reason).get())).filter(|(_, count)| *count > 0).collect()
    }
}
