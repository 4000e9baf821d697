//! Opens a cache: on a server, in memory, or by the builder.

use super::builder::CacheBuilder;
use crate::engine::handle::Cache;
use crate::error::BuildError;

impl Cache {
    /// A cache on the Redis server at `url` for the service `namespace`, with the builder's defaults. All processes of
    /// a service use the same namespace, and no other service on that server uses it: see [`CacheBuilder::namespace`].
    ///
    /// This tries to connect for the time of one budget, so that the first call need not. A server that is down is no
    /// error: the service starts, and uses the cache as soon as the server is back.
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

    /// A builder for a cache with other settings; end it with [`build`](CacheBuilder::build).
    ///
    /// ```
    /// let cache = cached_core::Cache::builder().namespace("shop").build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn builder() -> CacheBuilder {
        CacheBuilder::default()
    }

    /// A cache in this process's memory, with the builder's defaults. Problems of annotated functions, which the
    /// builder refuses, are only logged.
    ///
    /// ```
    /// let cache = cached_core::Cache::memory();
    /// assert_eq!(cache.stats().store, "memory");
    /// ```
    #[must_use]
    pub fn memory() -> Self {
        Self::builder().in_memory()
    }

    /// A cache for the service `namespace` on the server that the environment variable `REDIS_URL` names. If it is not
    /// set, the values are in this process's memory, and other processes neither share them nor are notified of writes;
    /// the log warns of that.
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
