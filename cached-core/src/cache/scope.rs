//! The cache of a task that is spawned.
//!
//! The scope of a cache belongs to the task that runs it, and a task that is spawned begins without one. So whoever
//! spawns takes the cache along.

use crate::engine::ambient;
use crate::engine::handle::Cache;
use crate::engine::nesting::Carried;
use tokio::task::JoinHandle;

impl Cache {
    /// The cache that an annotated function would use if it were called here: that of the [`scope`](Self::scope)
    /// around this place, else the [`install`](Self::install)ed one. `None` if there is neither.
    ///
    /// It is for what outlives the scope and is no future, such as a stream, a callback, or the closure of
    /// `spawn_blocking`. For a task there is [`in_current_scope`](crate::in_current_scope).
    ///
    /// ```
    /// use cached_core::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// cache.scope(async {
    ///     let cache = Cache::current().unwrap();
    ///     let runtime = tokio::runtime::Handle::current();
    ///     let thread = move || runtime.block_on(cache.scope(async { /* annotated functions */ }));
    ///     tokio::task::spawn_blocking(thread).await.unwrap();
    /// }).await;
    /// # }
    /// ```
    #[must_use]
    pub fn current() -> Option<Self> {
        ambient::in_use()
    }

    /// Spawns a task with this cache as its default, whatever is installed: `tokio::spawn` and [`scope`](Self::scope)
    /// in one.
    ///
    /// A task that is spawned inside of the load of a cached function belongs to that load, as with
    /// [`in_current_scope`](crate::in_current_scope).
    ///
    /// [`shutdown`](Self::shutdown) does not wait for the task, and what it calls after that runs uncached: keep the
    /// `JoinHandle`, and await it before.
    ///
    /// # Panics
    /// Outside of a tokio runtime, as `tokio::spawn` does.
    ///
    /// ```
    /// use cached_core::{Cache, redis_cached};
    ///
    /// #[redis_cached(key = "cube:<n>")]
    /// async fn cube(n: u64) -> u64 {
    ///     n * n * n
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// assert_eq!(cache.spawn(cube(2)).await.unwrap(), 8);
    /// assert_eq!(cache.stats().site("cube").unwrap().loads, 1);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        tokio::spawn(ambient::scope(self.clone(), Carried::from_here(future)))
    }
}

/// Lets `future` keep the cache of the [`scope`](crate::Cache::scope) around this place, whichever task runs it. Without
/// a scope it uses the installed cache, as any other.
///
/// ```
/// use cached_core::{Cache, in_current_scope, redis_cached};
/// use tokio::task::JoinSet;
///
/// #[redis_cached(key = "half:<n>")]
/// async fn half(n: u64) -> u64 {
///     n / 2
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let cache = Cache::memory();
/// cache.scope(async {
///     tokio::spawn(in_current_scope(half(8))).await.unwrap();
///
///     let mut tasks = JoinSet::new();
///     for n in 0..3 {
///         tasks.spawn(in_current_scope(half(n)));
///     }
///     tasks.join_all().await;
/// }).await;
/// assert_eq!(cache.stats().site("half").unwrap().loads, 4);
/// # }
/// ```
///
/// What counts is where this function is called, not where the future is polled first.
///
/// If that is inside of the load of a cached function, the future belongs to the load: its calls do not use the near
/// cache, whose values may be too old to become part of what the load stores for everybody, and they do not wait for
/// that load itself. A task that is spawned without this function is not known to belong to it.
pub fn in_current_scope<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let (cache, future) = (ambient::scoped(), Carried::from_here(future));
    async move {
        match cache {
            Some(cache) => ambient::scope(cache, future).await,
            None => future.await,
        }
    }
}
