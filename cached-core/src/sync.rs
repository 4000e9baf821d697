//! The locks, atomics, wakers and timers under our own concurrent code (single flight, merged reads): those of the
//! standard library and of tokio, or in model checks those of a scheduler that tries interleavings (`.ci/model`).

#[cfg(all(test, shuttle))]
pub(crate) mod model;

#[cfg(all(test, shuttle))]
pub(crate) use model::{Notify, timeout};
#[cfg(all(test, shuttle))]
pub(crate) use shuttle::sync::{Mutex, atomic::AtomicUsize};
#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::{Mutex, atomic::AtomicUsize};
#[cfg(not(all(test, shuttle)))]
pub(crate) use tokio::{sync::Notify, time::timeout};

/// A mutex for [`locked`]. In model checks there are two kinds, because the scheduler does not control the whole crate.
pub(crate) trait Lock {
    type Guard<'a>
    where
        Self: 'a;

    fn guard(&self) -> Self::Guard<'_>;
}

impl<T> Lock for std::sync::Mutex<T> {
    type Guard<'a>
        = std::sync::MutexGuard<'a, T>
    where
        T: 'a;

    fn guard(&self) -> Self::Guard<'_> {
        self.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(all(test, shuttle))]
impl<T> Lock for shuttle::sync::Mutex<T> {
    type Guard<'a>
        = shuttle::sync::MutexGuard<'a, T>
    where
        T: 'a;

    fn guard(&self) -> Self::Guard<'_> {
        self.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Locks the mutex. Ignores that a thread panicked while it held the lock, because no invariant spans the lock.
pub(crate) fn locked<M: Lock>(mutex: &M) -> M::Guard<'_> {
    mutex.guard()
}
