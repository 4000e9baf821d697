//! The end of a cache, and waiting for what it stores.

use crate::engine::handle::Cache;
use crate::engine::shutdown::Unfinished;
use std::time::Duration;

impl Cache {
    /// Waits until all loaded values that are being stored are stored, for tests and short programs. It removes
    /// nothing. At the end of a process, use [`shutdown`](Self::shutdown).
    ///
    /// ```
    /// use cached_core::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// cache.entry("answer").get_or_load(|| async { Ok::<u64, ()>(42) }).await.unwrap();
    /// cache.flush().await;
    /// assert_eq!(cache.entry("answer").get::<u64>().await, Some(42));
    /// # }
    /// ```
    pub async fn flush(&self) {
        self.engine.stored().await;
    }

    /// Ends the cache's background work, for the end of a process: when this returns, loaded values are stored, leases
    /// are returned, queued invalidations are applied and the connections are closed. It takes no longer than `within`
    /// and returns what was left; log it unless it [`is_empty`](Unfinished::is_empty). Outside of a tokio runtime it
    /// waits for nothing.
    ///
    /// Call it when the last request has been answered. Calls that come later still work, and so do those of clones of
    /// this cache, which are the same cache:
    ///
    /// - Reads run the function as without a cache, and store nothing
    ///   ([`MissReason::ShutDown`](crate::MissReason::ShutDown)). There is still one load per key at a time.
    ///   [`Entry::get`](crate::Entry::get) finds nothing, and [`Entry::set`](crate::Entry::set) is an error.
    /// - Writes still invalidate, because other processes must not serve what they have made old. If the store does not
    ///   take an invalidation, its outcome is [`Failed`](crate::Outcome::Failed) from the moment this returns, since
    ///   nothing would repeat it.
    ///
    /// It waits for the loads of functions with `spawn` and for refreshes in the background, but not for tasks of your
    /// own, [`Cache::spawn`](Self::spawn) included: their calls run uncached from now on. Await their `JoinHandle`s first.
    ///
    /// A store that was given to [`CacheBuilder::store`](crate::CacheBuilder::store) keeps its connections, because
    /// other caches may share it.
    ///
    /// If this is dropped before it returns, the cache is shut down all the same, and what it waited for goes on.
    ///
    /// ```
    /// use cached_core::Cache;
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// // .. the service runs, until SIGTERM; then:
    /// let unfinished = cache.shutdown(Duration::from_secs(5)).await;
    /// if !unfinished.is_empty() {
    ///     eprintln!("the cache was not finished: {unfinished}");
    /// }
    /// # }
    /// ```
    pub async fn shutdown(&self, within: Duration) -> Unfinished {
        self.engine.shutdown(within).await
    }
}
