//! The methods of a cache.

pub(crate) mod audit;
pub(crate) mod builder;
pub(crate) mod controlled;
pub(crate) mod entry;
pub(crate) mod forced;
mod many;
mod open;
pub(crate) mod writes;

use crate::engine::handle::Cache;
use crate::engine::policy::Policy;
use crate::engine::{ambient, call, control};
use crate::error::CacheError;
use crate::event::CacheEvent;
use crate::hand;
use crate::invalidation::{Invalidation, Tag};
use crate::near::Near;
use crate::near::keep::Unkept;
use crate::outcome::{CacheValue, ResultOption, ResultValue, Shape};
use crate::site::{Role, Site, SiteSpec};
use crate::stats::Stats;
use std::sync::Arc;
use std::time::Duration;

/// Options of [`Cache::get_or_set`], [`Cache::set`] and similar methods.
///
/// ```
/// use cached_core::Options;
/// use std::time::Duration;
///
/// let options = Options::new().ttl(Duration::from_secs(60));
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Options {
    ttl: Option<Duration>,
    depends_on: Invalidation,
}

impl Options {
    /// The defaults: the class `medium`, with the builder's jitter.
    ///
    /// ```
    /// let options = cached_core::Options::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The value's time to live, at most 365 days; longer ones are cut. Jitter only shortens it. With zero,
    /// [`Cache::get_or_set`] does not store the value.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let options = cached_core::Options::new().ttl(Duration::from_secs(90));
    /// ```
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl: Some(ttl), ..self }
    }

    /// Gives the entry a tag, by which [`Invalidation::tag`] invalidates it. All callers of one key must give it the
    /// same tags, at most 64.
    ///
    /// ```
    /// let options = cached_core::Options::new().tag("tenant:7");
    /// ```
    pub fn tag(self, tag: impl Into<Tag>) -> Self {
        Self { depends_on: self.depends_on.tag(tag), ..self }
    }

    /// Makes the entry depend on an event, so [`Cache::emit`] invalidates it. All callers of one key must name the same
    /// events.
    ///
    /// ```
    /// use cached_core::{CacheEvent, Options};
    ///
    /// #[derive(CacheEvent)]
    /// struct UserUpdated {
    ///     id: u64,
    /// }
    ///
    /// let options = Options::new().invalidate_on(&UserUpdated { id: 42 });
    /// ```
    pub fn invalidate_on<E: CacheEvent>(self, event: &E) -> Self {
        Self { depends_on: self.depends_on.event(event), ..self }
    }
}

static GET: Site = direct_site("Cache::get", Role::Read);
static SET: Site = direct_site("Cache::set", Role::Put);
pub(crate) static DELETE: Site = direct_site("Cache::delete", Role::Invalidate);
pub(crate) static GET_OR_SET: Site = direct_site("Cache::get_or_set", Role::Read);

const fn direct_site(name: &'static str, role: Role) -> Site {
    Site::new(SiteSpec { name, role, ..SiteSpec::DEFAULT })
}

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
    /// run in parallel, each with its own cache. Tasks spawned inside use the installed default again.
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

    /// Returns the value under `key`. If there is none, calls `load`, and stores and returns its value. This is what
    /// `#[redis_cached]` does, for a key written by hand. Callers share loads by key and type; an `Err` is never
    /// stored.
    ///
    /// The key is used as it is, behind the cache's prefix. Escape the parts that users can choose, or let an attribute
    /// do it. Annotated functions and this method never return each other's values, even under one key, because an
    /// entry belongs to its template. [`delete`](Self::delete) removes both.
    ///
    /// # Errors
    /// Only those of `load`.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// use cached_core::{Cache, Options};
    ///
    /// let cache = Cache::memory();
    /// let load = || async { Ok::<_, std::io::Error>(String::from("Ada")) };
    /// assert_eq!(cache.get_or_set("user:42", Options::new(), load).await.unwrap(), "Ada");
    /// # });
    /// ```
    pub async fn get_or_set<T, E, F, Fut>(&self, key: impl AsRef<str>, options: Options, load: F) -> Result<T, E>
    where
        T: CacheValue,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.shared(ResultValue::default(), key.as_ref(), options, load).await
    }

    /// Like [`get_or_set`](Self::get_or_set), for values that may not exist: a `None` is stored for the time of the
    /// class `short`.
    ///
    /// # Errors
    /// Only those of `load`.
    ///
    /// ```
    /// use cached_core::{Cache, Options};
    /// use std::io::Error;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// let nobody = || async { Ok::<Option<String>, Error>(None) };
    /// assert_eq!(cache.get_or_set_option("user:7", Options::new(), nobody).await.unwrap(), None);
    /// cache.settled().await;
    ///
    /// let not_called = || async { Err::<Option<String>, Error>(Error::other("the database was asked again")) };
    /// assert_eq!(cache.get_or_set_option("user:7", Options::new(), not_called).await.unwrap(), None);
    /// # }
    /// ```
    pub async fn get_or_set_option<T, E, F, Fut>(
        &self,
        key: impl AsRef<str>,
        options: Options,
        load: F,
    ) -> Result<Option<T>, E>
    where
        T: CacheValue,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Option<T>, E>>,
    {
        self.shared(ResultOption::default(), key.as_ref(), options, load).await
    }

    async fn shared<S, F, Fut>(&self, shape: S, key: &str, options: Options, load: F) -> S::Return
    where
        S: Shape,
        F: FnOnce() -> Fut,
        Fut: Future<Output = S::Return>,
    {
        let prefix = &self.engine.settings.prefix;
        hand::uses(hand::Kind::Key, key);
        let key = prefix.literal(key);
        let policy = match options.ttl {
            Some(ttl) => Policy::default().ttl(ttl),
            None => Policy::default(),
        };
        let tags = options.depends_on.tags(prefix);
        let call = call::Call::of(Arc::clone(&self.engine), self.engine.site(&GET_OR_SET), Ok(key), "");
        let call = tags.into_iter().fold(call, |call, tag| call.tagged(|_| tag));
        let call = call.typed(shape);
        let call = if control::is_on() { call.controlled::<S>() } else { call };
        let mut loading = match call::read(call, shape, Unkept).await {
            Ok(value) => return value,
            Err(loading) => loading,
        };
        // Called no earlier, because a closure may read data before it returns its future.
        let returned = loading.run(&policy, load()).await;
        loading.settle(shape, &policy, returned)
    }

    /// The value under `key`, if there is one of this type. Anything else is a miss, which [`stats`](Self::stats)
    /// counts by reason.
    ///
    /// ```
    /// use cached_core::{Cache, Options};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// cache.set("answer", &42_u64, Options::new()).await.unwrap();
    /// assert_eq!(cache.get::<u64>("answer").await, Some(42));
    /// assert_eq!(cache.get::<String>("answer").await, None, "there is none of this type");
    /// # }
    /// ```
    pub async fn get<T: CacheValue>(&self, key: impl AsRef<str>) -> Option<T> {
        hand::uses(hand::Kind::Key, key.as_ref());
        self.engine.target::<T>(&GET, key.as_ref()).get().await
    }

    /// Stores `value` under `key` for the time to live of `options`, whatever stands there. A load of the key under way
    /// is not stored over it. Annotated functions do not return the value; [`Entry::set`](crate::Entry::set) stores one
    /// for them.
    ///
    /// The value counts as made now, with the tags of `options` as they are at this moment. If it was read from a
    /// database earlier, a write in between goes unnoticed; [`get_or_set`](Self::get_or_set) is safe against that.
    ///
    /// While a write of the key or of one of the tags is in progress ([`write`](Self::write), `#[redis_invalidate]`,
    /// `#[redis_put]`), this stores nothing and returns [`CacheError::Writing`], even if it is called from that very
    /// write. Otherwise a value stored before the commit would be served after it if the writer died.
    ///
    /// Nothing else is compared. So a `set` that was given up ([`CacheError::Store`]), or repeated because its
    /// connection broke, may still reach the server, even after an invalidation. This cannot happen with `#[redis_put]`
    /// and [`get_or_set`](Self::get_or_set).
    ///
    /// The type matters: a value stored as a `String` is only read as a `String`.
    ///
    /// # Errors
    /// [`CacheError`] says why the value was not stored, or that it is unknown whether it was.
    /// [`CacheError::KeyPattern`] means that the key is a pattern, such as `user:*`, which nothing could remove by its
    /// key.
    ///
    /// ```
    /// use cached_core::{Cache, Options};
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// let for_a_minute = Options::new().ttl(Duration::from_secs(60));
    /// cache.set("greeting", &String::from("hello"), for_a_minute).await.unwrap();
    /// # }
    /// ```
    pub async fn set<T: CacheValue>(
        &self,
        key: impl AsRef<str>,
        value: &T,
        options: Options,
    ) -> Result<(), CacheError> {
        hand::is_name(hand::Kind::Key, key.as_ref())?;
        hand::uses(hand::Kind::Key, key.as_ref());
        let tags = options.depends_on.tags(&self.engine.settings.prefix);
        // Without one of its tags, the value would survive an invalidation of that tag.
        let tags = tags.into_iter().collect::<Result<Vec<_>, _>>().map_err(|_| CacheError::Unrenderable)?;
        let target = self.engine.target::<T>(&SET, key.as_ref()).with_tags(tags.into_iter());
        target.set(value, options.ttl).await
    }

    /// Removes the value under `key`, if there is one. A load of the key under way is not stored.
    ///
    /// This is for keys written by hand. For a call of an annotated function, use [`entry!`](crate::entry) and
    /// [`Entry::remove`](crate::Entry::remove). To remove all keys that begin alike, use
    /// [`delete_matching`](Self::delete_matching).
    ///
    /// # Errors
    /// [`CacheError`] if the store could not be asked; the old value may still be there. [`CacheError::KeyPattern`] if
    /// the key is a pattern, such as `user:*`; it says what to call instead, and nothing is removed.
    ///
    /// ```
    /// use cached_core::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// // After the user was changed in the database:
    /// if let Err(error) = cache.delete("user:42").await {
    ///     eprintln!("the old user may be served until its time to live is over: {error}");
    /// }
    /// # }
    /// ```
    pub async fn delete(&self, key: impl AsRef<str>) -> Result<(), CacheError> {
        hand::is_name(hand::Kind::Key, key.as_ref())?;
        hand::invalidates(hand::Kind::Key, key.as_ref(), &self.engine.settings.prefix);
        self.engine.target::<()>(&DELETE, key.as_ref()).remove().await.map(drop)
    }

    /// Waits until all values that are being stored in the background are stored. Call it before a process ends, and in
    /// tests.
    ///
    /// ```
    /// use cached_core::{Cache, Options};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// cache.get_or_set("answer", Options::new(), || async { Ok::<u64, ()>(42) }).await.unwrap();
    /// cache.settled().await;
    /// assert_eq!(cache.get::<u64>("answer").await, Some(42));
    /// # }
    /// ```
    pub async fn settled(&self) {
        self.engine.settled().await;
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
    /// cache.get::<u64>("answer").await;
    /// println!("{}", cache.stats()); // one line per function that was called
    /// assert_eq!(cache.stats().site("Cache::get").unwrap().unserved, 1);
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
            near: engine.near_in_use().map(Near::stats),
            sites: engine.site_stats(),
        }
    }
}
