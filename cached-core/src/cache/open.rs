//! Opening a cache: on a server, in memory, or by the builder.

use super::builder::CacheBuilder;
use crate::engine::handle::Cache;
use crate::error::BuildError;

impl Cache {
    /// A cache on the Redis server at `url` for the service `namespace`, with the builder's defaults. All of a service's processes
    /// have the same namespace, and no other service on that server has it: see [`CacheBuilder::namespace`].
    ///
    /// Tries to connect for the time of one budget, so that the first call need not; a server that is down is no
    /// error: the service starts, and the cache is used as soon as the server is back.
    ///
    /// # Errors
    /// Those of [`CacheBuilder::build`].
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), cached_core::BuildError> {
    /// let cache = cached_core::Cache::connect("shop", "redis://127.0.0.1/").await?;
    /// cache.install();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(namespace: impl Into<String>, url: impl Into<String>) -> Result<Self, BuildError> {
        let cache = Self::builder().namespace(namespace).redis(url).build()?;
        let engine = &cache.engine;
        if engine.usable().is_ok()
            && let Err(error) = engine.ping().await
        {
            tracing::warn!(store = ?engine.store, %error, "the cache's store does not answer yet: functions run without it until it does");
        }
        Ok(cache)
    }

    /// Settings, to be followed by [`build`](CacheBuilder::build).
    ///
    /// ```
    /// let cache = cached_core::Cache::builder().namespace("shop").build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn builder() -> CacheBuilder {
        CacheBuilder::default()
    }

    /// A cache in this process's memory, with the builder's defaults. What the builder would refuse in annotated
    /// functions is only logged.
    ///
    /// ```
    /// let cache = cached_core::Cache::memory();
    /// assert_eq!(cache.stats().store, "memory");
    /// ```
    #[must_use]
    pub fn memory() -> Self {
        Self::builder().in_memory()
    }

    /// A cache for the service `namespace` on the server that the environment variable `REDIS_URL` names; without it, in this process's memory, which the log
    /// warns of: other processes then neither share its values nor hear of its writes.
    ///
    /// # Errors
    /// Those of [`CacheBuilder::build`].
    ///
    /// ```no_run
    /// cached_core::Cache::from_env("shop")?.install();
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn from_env(namespace: impl Into<String>) -> Result<Self, BuildError> {
        Self::builder().namespace(namespace).from_env().build()
    }
}
