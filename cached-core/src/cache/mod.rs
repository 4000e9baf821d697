//! The methods of a cache.

pub(crate) mod audit;
pub(crate) mod builder;
pub(crate) mod controlled;
pub(crate) mod entry;
pub(crate) mod forced;
#[cfg(feature = "tower")]
pub(crate) mod layer;
mod open;
pub(crate) mod scope;
mod shutdown;
pub(crate) mod writes;
pub(crate) mod writing;

use crate::engine::ambient;
use crate::engine::handle::Cache;
use crate::near::Near;
use crate::stats::Stats;

impl Cache {
    /// Makes this cache the default of the process, which annotated functions use unless they name another. Returns the
    /// former default.
    ///
    /// ```
    /// use cached_core::Cache;
    ///
    /// let former = Cache::memory().install();
    /// assert!(former.is_none());
    /// ```
    #[expect(clippy::must_use_candidate, reason = "called for its effect; the former default is a bonus")]
    pub fn install(&self) -> Option<Self> {
        ambient::install(self.clone())
    }

    /// Runs `future` with this cache as its default, whatever is installed, and returns what it returns. So tests can
    /// run in parallel, each with its own cache.
    ///
    /// Tasks spawned inside use the installed default again. To spawn one that keeps the cache, call
    /// [`in_current_scope`](crate::in_current_scope) or [`spawn`](Self::spawn); for the requests of a server there is
    /// `ScopeLayer` (feature `tower`).
    ///
    /// ```
    /// use cached_core::{Cache, redis_cached};
    ///
    /// #[redis_cached(key = "square:<n>")]
    /// async fn square(n: u64) -> u64 {
    ///     n * n
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// assert_eq!(cache.scope(square(4)).await, 16);
    /// assert_eq!(cache.stats().site("square").unwrap().loads, 1);
    /// # }
    /// ```
    pub async fn scope<F: Future>(&self, future: F) -> F::Output {
        ambient::scope(self.clone(), future).await
    }

    /// Statistics since the cache was built: the counters of every annotated function of the program, whether it was
    /// called or not, and the state of the breaker. Functions with `cache = ..` appear with their first call.
    ///
    /// ```
    /// use cached_core::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// cache.entry("answer").get::<u64>().await;
    /// println!("{}", cache.stats()); // one line per function that was called
    /// assert_eq!(cache.stats().site("Cache::entry").unwrap().unserved, 1);
    /// # }
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        let (engine, queued) = (&self.engine, self.engine.queue.len());
        let sweeping = queued == usize::MAX;
        Stats {
            store: engine.store.name(),
            breaker: engine.breaker(),
            pending: if sweeping { 1 } else { queued },
            sweeping,
            shut_down: engine.is_shut(),
            near: engine.near_in_use().map(Near::stats),
            sites: engine.site_stats(),
        }
    }
}
