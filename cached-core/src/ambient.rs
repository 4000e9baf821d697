//! Which cache a function uses that names none: the task's scope, else the installed one.

use crate::cache::Cache;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

static INSTALLED: RwLock<Option<Cache>> = RwLock::new(None);

tokio::task_local! {
    static SCOPED: Cache;
}

/// Makes `cache` the process default; returns the former one.
pub(crate) fn install(cache: Cache) -> Option<Cache> {
    INSTALLED.write().unwrap_or_else(PoisonError::into_inner).replace(cache)
}

/// Runs `future` with `cache` as its default.
pub(crate) async fn scope<F: Future>(cache: Cache, future: F) -> F::Output {
    SCOPED.scope(cache, future).await
}

/// The cache for a call made here and now. Without one, functions run uncached, and the log says so once.
pub(crate) fn current() -> Option<Cache> {
    static WARNED: AtomicBool = AtomicBool::new(false);
    let cache =
        SCOPED.try_with(Clone::clone).ok().or_else(|| INSTALLED.read().unwrap_or_else(PoisonError::into_inner).clone());
    if cache.is_none() && !WARNED.swap(true, Ordering::Relaxed) {
        tracing::warn!("no cache is installed: annotated functions run uncached; call `cache.install()` at start-up");
    }
    cache
}
