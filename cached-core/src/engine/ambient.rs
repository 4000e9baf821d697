//! The cache of a function that names none: that of the task's scope, else the installed one.

use super::handle::Cache;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};

/// The cache that was installed first. Most processes never install another, so this one is read without a lock.
static FIRST: OnceLock<Cache> = OnceLock::new();
/// The cache that has replaced the first.
static LATER: RwLock<Option<Cache>> = RwLock::new(None);
static HAS_LATER: AtomicBool = AtomicBool::new(false);

tokio::task_local! {
    static SCOPED: Cache;
}

/// Makes `cache` the process default; returns the former one.
pub(crate) fn install(cache: Cache) -> Option<Cache> {
    let mut later = LATER.write().unwrap_or_else(PoisonError::into_inner);
    if FIRST.get().is_none() && FIRST.set(cache.clone()).is_ok() {
        return None;
    }
    let former = later.replace(cache).or_else(|| FIRST.get().cloned());
    HAS_LATER.store(true, Ordering::Release);
    former
}

/// Runs `future` with `cache` as its default.
pub(crate) async fn scope<F: Future>(cache: Cache, future: F) -> F::Output {
    SCOPED.scope(cache, future).await
}

/// The cache of the scope that this task is in.
pub(crate) fn scoped() -> Option<Cache> {
    SCOPED.try_with(Clone::clone).ok()
}

/// The cache of a call that is made here and now.
#[expect(clippy::redundant_closure_for_method_calls, reason = "the method alone is of one lifetime only")]
pub(crate) fn current() -> Option<Cache> {
    with_current(|cache| cache.cloned())
}

/// As [`current`], without a clone. The log says once that functions run uncached if there is no cache.
#[inline]
pub(crate) fn with_current<R>(read: impl FnOnce(Option<&Cache>) -> R) -> R {
    static WARNED: AtomicBool = AtomicBool::new(false);
    let mut read = Some(read);
    let scoped = SCOPED.try_with(|cache| read.take().map(|read| read(Some(cache))));
    if let Ok(Some(answer)) = scoped {
        return answer;
    }
    let Some(read) = read else { unreachable!("it was called in the scope only") };
    if HAS_LATER.load(Ordering::Acquire) {
        let later = LATER.read().unwrap_or_else(PoisonError::into_inner).clone();
        return read(later.as_ref());
    }
    let first = FIRST.get();
    if first.is_none() && !WARNED.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            "no cache is installed: annotated functions run uncached; write `Cache::from_env(\"shop\")?.install()` at \
             start-up, before the first call, or `cache.scope(..)` around the call in a test; a spawned task is in the \
             scope only with `tokio::spawn(cached_core::in_current_scope(..))`"
        );
    }
    read(first)
}

/// As [`current`], but the log says nothing if there is none: for callers who only ask.
pub(crate) fn in_use() -> Option<Cache> {
    let installed = || {
        if HAS_LATER.load(Ordering::Acquire) {
            LATER.read().unwrap_or_else(PoisonError::into_inner).clone()
        } else {
            FIRST.get().cloned()
        }
    };
    scoped().or_else(installed)
}

/// Runs `enter` with `cache` as the default.
#[cfg(feature = "tower")]
pub(crate) fn scope_sync<R>(cache: Cache, enter: impl FnOnce() -> R) -> R {
    SCOPED.sync_scope(cache, enter)
}

/// [`scope`] as a type that can be named.
#[cfg(feature = "tower")]
pub(crate) type Scoped<F> = tokio::task::futures::TaskLocalFuture<Cache, F>;

/// As [`scope`], but its type can be named.
#[cfg(feature = "tower")]
pub(crate) fn scoped_future<F: Future>(cache: Cache, future: F) -> Scoped<F> {
    SCOPED.scope(cache, future)
}

/// Passes the cache that a call names, else the ambient one, to `read`.
#[inline]
pub(crate) fn in_cache<R>(named: Option<&Cache>, read: impl FnOnce(&Cache) -> R) -> Option<R> {
    match named {
        Some(cache) => Some(read(cache)),
        None => with_current(|cache| cache.map(read)),
    }
}
