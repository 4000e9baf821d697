//! Injected time: all that expires, opens or closes asks a [`Clock`], so that tests need not sleep.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The clock of a cache, for expiry in the memory store, for the near cache and for the breaker.
///
/// Whether a value is stale (`stale_while_revalidate` and the like) depends on the wall time, so that processes agree;
/// a manual clock has its own wall time. Redis expires its keys by its own clock, and waiting (deadlines, back-off)
/// uses tokio's timers.
///
/// ```
/// use cached_core::{Cache, Clock};
/// use std::time::Duration;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let clock = Clock::manual();
/// let cache = Cache::builder().clock(clock.clone()).build().unwrap();
/// cache.entry("greeting").ttl(Duration::from_secs(60)).set(&String::from("hello")).await.unwrap();
/// assert_eq!(cache.entry("greeting").get::<String>().await.as_deref(), Some("hello"));
///
/// clock.advance(Duration::from_secs(120));
/// assert_eq!(cache.entry("greeting").get::<String>().await, None);
/// # });
/// ```
#[derive(Clone)]
pub struct Clock {
    start: Instant,
    /// The same moment on the clock that is cheap to read.
    coarse: coarsetime::Instant,
    /// Nanoseconds since `start`; `None` for a clock that follows the system.
    manual: Option<Arc<AtomicU64>>,
}

impl Clock {
    /// A clock that follows the system's monotonic time: the default.
    ///
    /// ```
    /// let clock = cached_core::Clock::system();
    /// ```
    #[must_use]
    pub fn system() -> Self {
        Self { start: Instant::now(), coarse: coarsetime::Instant::now(), manual: None }
    }

    /// A clock that stands still until [`advance`](Self::advance) moves it; clones move together.
    ///
    /// ```
    /// let clock = cached_core::Clock::manual();
    /// let cache = cached_core::Cache::builder().clock(clock.clone()).build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn manual() -> Self {
        Self { start: Instant::now(), coarse: coarsetime::Instant::now(), manual: Some(Arc::new(AtomicU64::new(0))) }
    }

    /// Moves a manual clock forward by `by`. Does nothing to a system clock.
    ///
    /// ```
    /// let clock = cached_core::Clock::manual();
    /// clock.advance(std::time::Duration::from_secs(3600));
    /// ```
    pub fn advance(&self, by: Duration) {
        if let Some(nanos) = &self.manual {
            nanos.fetch_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX), Ordering::SeqCst);
        }
    }

    /// The time since this clock was made, in nanoseconds, at most some milliseconds behind. Every hit of the near
    /// cache reads it, because it takes a quarter of the time of [`now`](Self::now).
    #[inline]
    pub(crate) fn coarse(&self) -> u64 {
        match &self.manual {
            // Plain `now` also stores the time in a shared place, so that threads compete for its cache line.
            None => coarsetime::Instant::now_without_cache_update().duration_since(self.coarse).as_nanos(),
            Some(nanos) => nanos.load(Ordering::SeqCst),
        }
    }

    /// Milliseconds since 1970, which other processes agree on. A manual clock begins in 2020.
    pub(crate) fn wall(&self) -> u64 {
        const MANUAL_EPOCH: u64 = 1_577_836_800_000;
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        match &self.manual {
            // Before 1970 nothing is ever stale.
            None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis),
            Some(_) => MANUAL_EPOCH.saturating_add(millis(self.now())),
        }
    }

    /// The time since this clock was made.
    pub(crate) fn now(&self) -> Duration {
        match &self.manual {
            None => self.start.elapsed(),
            Some(nanos) => Duration::from_nanos(nanos.load(Ordering::SeqCst)),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock")
            .field("manual", &self.manual.is_some())
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}
