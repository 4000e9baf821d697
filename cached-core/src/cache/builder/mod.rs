//! The settings of a cache, which are checked before anything is built.

mod check;
mod near;
mod source;

use crate::clock::Clock;
use crate::codec::Codec;
use crate::engine::Engine;
use crate::engine::gate::Close;
use crate::engine::handle::Cache;
use crate::engine::settings::Settings;
use crate::error::BuildError;
use crate::key::Prefix;
use crate::near::NearSettings;
use crate::site;
use crate::store::{MemoryStore, Store};
use crate::ttl::Classes;
use source::Source;
use std::sync::Arc;
use std::time::Duration;

/// The namespace in a process's own memory, where there are no keys of other services.
const MEMORY_NAMESPACE: &str = "cache";
/// Bytes of the memory store if nothing else is said.
const MEMORY_CAPACITY: u64 = 64 << 20;

/// Builds a [`Cache`]: [`Cache::builder`].
///
/// | setting | default |
/// |---|---|
/// | [`redis`](Self::redis), [`store`](Self::store) | a [`MemoryStore`] |
/// | [`memory_capacity`](Self::memory_capacity) | 64 MiB |
/// | [`namespace`](Self::namespace) | none: it has to be set; in a process's own memory `cache` |
/// | [`version`](Self::version) | 1 |
/// | [`ttl_class`](Self::ttl_class) | `short` 60 s, `medium` 10 min, `long` 6 h |
/// | [`jitter`](Self::jitter) | 0.1 |
/// | [`codec`](Self::codec) | JSON |
/// | [`compress_above`](Self::compress_above) | off |
/// | [`max_value_bytes`](Self::max_value_bytes) | 1 MiB |
/// | [`budget`](Self::budget) | 100 ms for all steps of one call on the store |
/// | [`lease_ttl`](Self::lease_ttl) | 3 s, renewed while the load runs; a quarter of it at first |
/// | [`write_marker_ttl`](Self::write_marker_ttl) | 10 s, extended while the write runs |
/// | [`max_wait`](Self::max_wait) | 5 s for someone else's load |
/// | [`load_limit`](Self::load_limit) | 64 loads at once without the store |
/// | [`near_ttl`](Self::near_ttl) | no near cache, except for functions that ask for it |
/// | [`near_capacity`](Self::near_capacity) | 32 MiB |
/// | [`near_heartbeat`](Self::near_heartbeat) | 2 s |
/// | [`refresh_cooldown`](Self::refresh_cooldown) | 5 s between attempts to refresh a value whose load fails |
///
/// ```
/// use cached_core::Cache;
/// use std::time::Duration;
///
/// let cache = Cache::builder()
///     .namespace("shop")
///     .ttl_class("catalogue", Duration::from_secs(3600))
///     .budget(Duration::from_millis(50))
///     .build()?;
/// # Ok::<(), cached_core::BuildError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct CacheBuilder {
    source: Source,
    /// The methods that have set the source.
    sources: Vec<&'static str>,
    /// `None` if it was not set.
    namespace: Option<String>,
    /// `None` if it was not set.
    memory_capacity: Option<u64>,
    /// They have the prefix for a process's own memory until the cache is built.
    settings: Settings,
    clock: Clock,
    check_sites: bool,
}

impl Default for CacheBuilder {
    fn default() -> Self {
        Self {
            source: Source::Memory,
            sources: Vec::new(),
            namespace: None,
            memory_capacity: None,
            settings: Settings {
                prefix: Prefix::new(MEMORY_NAMESPACE),
                version: None,
                classes: Classes::default(),
                jitter: 0.1,
                codec: Codec::Json,
                budget: Duration::from_millis(100),
                lease_ttl: Duration::from_secs(3),
                write_marker_ttl: Duration::from_secs(10),
                max_wait: Duration::from_secs(5),
                max_value_bytes: 1 << 20,
                compress_above: usize::MAX,
                load_limit: 64,
                near: NearSettings { time: None, capacity: 32 << 20, heartbeat: Duration::from_secs(2) },
                refresh_cooldown: Duration::from_secs(5),
            },
            clock: Clock::system(),
            check_sites: true,
        }
    }
}

impl CacheBuilder {
    /// Stores values on the Redis server at `url`: `redis://[user:password@]host[:port][/db]`, `rediss://..` (feature
    /// `tls`) or `unix:///path[?db=n&user=..&pass=..]`. [`build`](Self::build) checks the URL; the connection is made
    /// on first use.
    ///
    /// ```
    /// # #[cfg(feature = "redis")]
    /// let cache = cached_core::Cache::builder().namespace("shop").redis("redis://cache.internal:6379/0").build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn redis(self, url: impl Into<String>) -> Self {
        self.with_source("redis", Source::Redis(url.into()))
    }

    /// Stores values in a store of your own, or in one that several caches share.
    ///
    /// ```
    /// use cached_core::store::MemoryStore;
    /// use cached_core::{Cache, Clock};
    /// use std::sync::Arc;
    ///
    /// let store = Arc::new(MemoryStore::new(16 << 20, Clock::system()));
    /// let users = Cache::builder().namespace("users").store(store.clone()).build()?;
    /// let orders = Cache::builder().namespace("orders").store(store).build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn store(self, store: Arc<dyn Store>) -> Self {
        self.with_source("store", Source::Own(store))
    }

    /// Stores values on the server that the environment variable `REDIS_URL` names. If it is not set, the values are in
    /// this process's memory, and other processes neither share them nor are notified of writes; the log warns of that.
    ///
    /// ```no_run
    /// let cache = cached_core::Cache::builder().namespace("shop").from_env().build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn from_env(self) -> Self {
        match std::env::var("REDIS_URL") {
            Ok(url) if !url.trim().is_empty() => self.with_source("from_env", Source::Redis(url.trim().to_owned())),
            _ => {
                tracing::warn!(
                    "REDIS_URL is not set: values are cached in this process's memory only, and other processes are not \
                     notified of writes; set it, or use `Cache::memory()` if this is intended"
                );
                self.with_source("from_env", Source::Memory)
            }
        }
    }

    /// The most bytes that the memory store holds, including keys and bookkeeping (128 bytes per entry); at least 4096.
    /// The least used values are removed first. It does not go together with [`redis`](Self::redis) and
    /// [`store`](Self::store); with [`from_env`](Self::from_env) it is for the case that the variable is not set.
    ///
    /// ```
    /// let cache = cached_core::Cache::builder().memory_capacity(256 << 20).build()?; // 256 MiB
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn memory_capacity(self, bytes: u64) -> Self {
        Self { memory_capacity: Some(bytes), ..self }
    }

    /// The first part of all keys: the name of the service, which all of its processes share. Services that share a
    /// Redis server but no values need different namespaces, so there is no default unless the values are in the
    /// process's own memory. Write 1 to 64 of `A-Z a-z 0-9 - _ .`
    ///
    /// ```
    /// // Keys begin with `shop:k:`.
    /// let cache = cached_core::Cache::builder().namespace("shop").build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn namespace(self, namespace: impl Into<String>) -> Self {
        Self { namespace: Some(namespace.into()), ..self }
    }

    /// Separates the values of builds: a build with a new version does not read what an old version stored. The default
    /// is 1.
    ///
    /// Raise it when values must be loaded again although their types have stayed the same. While both versions run,
    /// their entries exist side by side, and every invalidation reaches both.
    ///
    /// For values of [entries by hand](Cache::entry), it also has the role of an attribute's `version`: once
    /// it is set, builds share the values of types whose shape cannot be seen as a whole. Raise it when one of these
    /// types changes.
    ///
    /// ```
    /// let cache = cached_core::Cache::builder().version(2).build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn version(mut self, version: u32) -> Self {
        self.settings.version = Some(version);
        self
    }

    /// Adds a TTL class, or changes one: `ttl = "name"` in attributes. From 1 ms to 365 days.
    ///
    /// ```
    /// use cached_core::Cache;
    /// use std::time::Duration;
    ///
    /// let cache = Cache::builder()
    ///     .ttl_class("medium", Duration::from_secs(300))       // instead of 10 min
    ///     .ttl_class("catalogue", Duration::from_secs(3600))   // `ttl = "catalogue"`
    ///     .build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn ttl_class(mut self, name: impl Into<String>, ttl: Duration) -> Self {
        self.settings.classes.set(name.into(), ttl);
        self
    }

    /// The spread of times to live, as a fraction to both sides; at least 0 and below 1. It keeps values that were
    /// stored together from expiring together. A time for one call or value (`ttl = |token| token.expires_in`,
    /// `ttl = expires_in`, [`Entry::ttl`](crate::Entry::ttl)) is only shortened, because the value may be useless
    /// afterwards.
    ///
    /// ```
    /// // A time to live of 10 min becomes one between 8 and 12 min.
    /// let cache = cached_core::Cache::builder().jitter(0.2).build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn jitter(mut self, fraction: f64) -> Self {
        self.settings.jitter = fraction;
        self
    }

    /// The codec of functions and entries that name none.
    ///
    /// ```
    /// use cached_core::{Cache, Codec};
    ///
    /// let cache = Cache::builder().codec(Codec::Json).build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn codec(mut self, codec: Codec) -> Self {
        self.settings.codec = codec;
        self
    }

    /// Compresses payloads of at least this many bytes with LZ4, if that makes them smaller (feature `lz4`). Processes
    /// that read them need the feature, but not the setting.
    ///
    /// ```
    /// # #[cfg(feature = "lz4")]
    /// let cache = cached_core::Cache::builder().compress_above(4096).build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn compress_above(mut self, bytes: usize) -> Self {
        self.settings.compress_above = bytes;
        self
    }

    /// The largest payload in bytes before compression, from 1 to 512 MiB. Larger values are returned but not stored
    /// ([`UnstoredReason::TooLarge`](crate::UnstoredReason::TooLarge)); [`Entry::set`](crate::Entry::set) returns an error for them.
    ///
    /// ```
    /// let cache = cached_core::Cache::builder().max_value_bytes(64 << 10).build()?; // 64 KiB
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn max_value_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_value_bytes = bytes;
        self
    }

    /// The longest that the store may delay one call, including connecting: from 1 ms to 60 s. Waiting for another
    /// call's load is not part of it: see [`max_wait`](Self::max_wait).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let cache = cached_core::Cache::builder().budget(Duration::from_millis(50)).build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn budget(mut self, budget: Duration) -> Self {
        self.settings.budget = budget;
        self
    }

    /// The time to live of a lease: how long others wait for a load whose process has died, from 100 ms to 600 s. A
    /// living process renews its lease, so loads may take longer than this. At first, the lease of a single call has
    /// only a quarter of this time (but at least 500 ms), so a program that ends right after its call does not keep
    /// others waiting for long.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let cache = cached_core::Cache::builder().lease_ttl(Duration::from_secs(10)).build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn lease_ttl(mut self, ttl: Duration) -> Self {
        self.settings.lease_ttl = ttl;
        self
    }

    /// The time to live of a write's marker: how long nothing is stored that the write was about to change, after its
    /// process has died, from 1 s to 600 s. A living process extends its marker. If a process dies while it commits,
    /// the commit must take effect within this time, so let the database limit transactions to a shorter one.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let cache = cached_core::Cache::builder().write_marker_ttl(Duration::from_secs(30)).build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn write_marker_ttl(mut self, ttl: Duration) -> Self {
        self.settings.write_marker_ttl = ttl;
        self
    }

    /// The longest that a call waits for the load of another, in this process or elsewhere: from 1 ms to 600 s. After
    /// that, one of the waiting calls loads once more, without storing, and the others wait up to 30 s for that load.
    /// So a source that has become slow does not get all calls at once.
    ///
    /// Forced refreshes ([`refresh`](crate::refresh)) of one key wait for each other for up to 30 s, whatever this says.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let cache = cached_core::Cache::builder().max_wait(Duration::from_secs(1)).build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.settings.max_wait = max_wait;
        self
    }

    /// How many loads run at once in this process while the store is out of reach, at least 1. This protects the
    /// database when every call suddenly needs it. Other loads wait in line for as long as it takes, so calls that
    /// cannot wait need a timeout of their own. When no load has ended for a second, one more may run, so that loads
    /// that wait for calls in line cannot block each other. When none has ended for 30 s, the running loads are assumed
    /// to hang and no longer count.
    ///
    /// ```
    /// // As many as the connection pool of the database has connections.
    /// let cache = cached_core::Cache::builder().load_limit(20).build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn load_limit(mut self, loads: usize) -> Self {
        self.settings.load_limit = loads;
        self
    }

    /// How long a value is not loaded again after its load has failed, from 1 ms to 1 h. Until then, all processes
    /// serve the old value if they may (`stale_while_revalidate`, `stale_if_error`), and none asks the source.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let cache = cached_core::Cache::builder().refresh_cooldown(Duration::from_secs(1)).build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn refresh_cooldown(mut self, cooldown: Duration) -> Self {
        self.settings.refresh_cooldown = cooldown;
        self
    }

    /// The clock of the memory store and the breaker; in tests, a [`Clock::manual`].
    ///
    /// ```
    /// use cached_core::{Cache, Clock};
    ///
    /// let clock = Clock::manual();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Whether to check all annotated functions of the program against this cache and each other; `true` by default.
    /// Turn it off for a second cache whose TTL classes are not those of the ambient one.
    ///
    /// ```
    /// // For functions with `cache = sessions`, which name no class.
    /// let sessions = cached_core::Cache::builder().namespace("sessions").check_sites(false).build()?;
    /// # Ok::<(), cached_core::BuildError>(())
    /// ```
    pub fn check_sites(self, check: bool) -> Self {
        Self { check_sites: check, ..self }
    }

    /// Builds the cache. Nothing is sent yet: a server that is down is no error.
    ///
    /// # Errors
    /// [`BuildError::Field`] names a setting that cannot work, or one of several that set the store.
    /// [`BuildError::Sites`] lists every annotated function that names an unknown TTL class, needs a codec whose
    /// feature is off, or shares its template with a function that stores another type.
    ///
    /// ```
    /// use cached_core::{BuildError, Cache};
    ///
    /// let error = Cache::builder().jitter(1.5).build().unwrap_err();
    /// assert!(matches!(error, BuildError::Field { field: "jitter", .. }));
    /// assert_eq!(error.to_string(), "jitter: 1.5 is not at least 0 and below 1");
    /// ```
    pub fn build(self) -> Result<Cache, BuildError> {
        self.check_source()?;
        self.check_names()?;
        self.check_times()?;
        self.check_sizes()?;
        if self.check_sites {
            let problems = site::problems(&site::all(), &self.settings.classes);
            if !problems.is_empty() {
                return Err(BuildError::Sites(problems));
            }
            let sites = site::all();
            for (_, _, pair) in site::sharing(&sites).into_iter().chain(site::apart(&sites)) {
                tracing::warn!("{pair}");
            }
        }
        let (store, close) = self.open_store()?;
        Ok(self.assemble(store, close))
    }

    /// Returns the store and, if it has connections of its own, what closes them.
    fn open_store(&self) -> Result<(Arc<dyn Store>, Option<Close>), BuildError> {
        match &self.source {
            Source::Memory => Ok((self.memory_store(), None)),
            // Other caches may share it.
            Source::Own(store) => Ok((Arc::clone(store), None)),
            #[cfg(feature = "redis")]
            Source::Redis(url) => {
                let store = Arc::new(crate::store::RedisStore::new(url)?);
                let to_close = Arc::clone(&store);
                Ok((store, Some(Box::new(move || to_close.close()))))
            }
            #[cfg(not(feature = "redis"))]
            Source::Redis(url) => {
                // Only the scheme, because the URL may contain a password.
                let scheme = url.split(':').next().unwrap_or_default();
                Err(BuildError::field(
                    "redis",
                    format!(
                        "`{scheme}:` needs cached-core's feature `redis`: `cargo add cached-core --features redis`"
                    ),
                ))
            }
        }
    }

    /// Builds the cache of [`Cache::memory`]. The defaults are valid, so this cannot fail.
    pub(crate) fn in_memory(self) -> Cache {
        for problem in site::problems(&site::all(), &self.settings.classes) {
            tracing::warn!("{problem}");
        }
        let store = self.memory_store();
        self.assemble(store, None)
    }

    fn memory_store(&self) -> Arc<dyn Store> {
        Arc::new(MemoryStore::new(self.memory_capacity.unwrap_or(MEMORY_CAPACITY), self.clock.clone()))
    }

    fn assemble(self, store: Arc<dyn Store>, close: Option<Close>) -> Cache {
        let prefix = self.namespace.as_deref().map(Prefix::new);
        let settings = Settings { prefix: prefix.unwrap_or(self.settings.prefix), ..self.settings };
        Cache::of(Engine::new(settings, store, close, self.clock))
    }
}
