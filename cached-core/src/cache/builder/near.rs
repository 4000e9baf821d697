//! The settings of the near cache.

use super::CacheBuilder;
use std::time::Duration;

impl CacheBuilder {
    /// Turns on the near cache: this process also holds values in its own memory, for at most this time to live, from
    /// 1 ms to 365 days. `local = "30s"` sets the time of one function. This sets that of all functions without `local`
    /// whose values can be shared: an `Arc<T>`, or any other type that is `Clone + Send + Sync`.
    ///
    /// A near hit takes some nanoseconds. Redis announces every change, so after a write a near hit can return the old
    /// value until the message arrives. Without contact to the server, the near cache is not used. With a server without
    /// RESP3 (before Redis 6) there is no near cache, and the log says so.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let cache = cached_core::Cache::builder().near_ttl(Duration::from_secs(30)).build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn near_ttl(mut self, ttl: Duration) -> Self {
        self.settings.near.time = Some(ttl);
        self
    }

    /// The most bytes that the near cache holds: keys, encoded values, and bookkeeping (192 bytes per entry); at least
    /// 4096. The least used values are removed first. A decoded value may take more memory than its encoded size.
    ///
    /// ```
    /// let cache = cached_core::Cache::builder().near_capacity(256 << 20).build()?; // 256 MiB
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn near_capacity(mut self, bytes: u64) -> Self {
        self.settings.near.capacity = bytes;
        self
    }

    /// How long the near cache is used without a sign of life from the server: from 10 ms to 60 s. If the network loses
    /// messages, a near hit can be older than a write for this long at most. The server is asked for a sign of life
    /// twice as often.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let cache = cached_core::Cache::builder().near_heartbeat(Duration::from_millis(500)).build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn near_heartbeat(mut self, heartbeat: Duration) -> Self {
        self.settings.near.heartbeat = heartbeat;
        self
    }
}
