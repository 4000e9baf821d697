//! What is hand-made and concurrent (single flight, merged reads) stands on: the locks and atomics of the standard
//! library and the wakers and timers of tokio, or in model checks those of a scheduler that tries interleavings (`.ci/model`).

#[cfg(all(test, shuttle))]
pub(crate) mod model;

#[cfg(all(test, shuttle))]
pub(crate) use model::{Notify, timeout};
#[cfg(all(test, shuttle))]
pub(crate) use shuttle::sync::{Mutex, MutexGuard, atomic::AtomicUsize};
#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic::AtomicUsize};
#[cfg(not(all(test, shuttle)))]
pub(crate) use tokio::{sync::Notify, time::timeout};

/// Locks; a panic elsewhere while the lock was held does not matter, since no invariant spans the lock.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
