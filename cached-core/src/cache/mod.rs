//! The cache as users hold it.

pub(crate) mod audit;
pub(crate) mod builder;
pub(crate) mod entry;
mod many;
mod open;
pub(crate) mod writes;

use crate::engine::handle::Cache;
use crate::engine::policy::Policy;
use crate::engine::{ambient, asking, call};
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

/// What a call without an attribute wants: [`Cache::get_or_set`], [`Cache::set`].
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

    /// Time to live of the value, which jitter only shortens; what is longer than 365 days is cut to them. Zero:
    /// [`Cache::get_or_set`] does not store.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let options = cached_core::Options::new().ttl(Duration::from_secs(90));
    /// ```
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl: Some(ttl), ..self }
    }

    /// Gives the entry a tag: [`Invalidation::tag`] makes it invalid. Callers of one key give it the same tags; at most 64.
    ///
    /// ```
    /// let options = cached_core::Options::new().tag("tenant:7");
    /// ```
    pub fn tag(self, tag: impl Into<Tag>) -> Self {
        Self { depends_on: self.depends_on.tag(tag), ..self }
    }

    /// Makes the entry listen to an event: [`Cache::emit`] makes it invalid. Callers of one key name the same events.
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
    /// Makes this the process's default, which annotated functions use that name no other. Returns the former default.
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

    /// Runs `future` with this cache as the default, whatever is installed, and returns what it returns: tests run side
    /// by side, each with its own. Tasks spawned inside have the installed default again.
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

    /// Returns the value under `key`, or the one that `load` returns and that is then stored: what
    /// `#[redis_cached]` does, for a key rendered by hand. Callers share loads by key and type; an `Err` is never
    /// stored.
    ///
    /// The key is taken as it is (escape the parts that users can choose, or let an attribute do it) and put behind the
    /// cache's prefix. Values of annotated functions are not served here, nor the other way round, even under one key: an
    /// entry belongs to its template. [`delete`](Self::delete) removes both.
    ///
    /// # Errors
    /// Those of `load`, and no others.
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

    /// As [`get_or_set`](Self::get_or_set), for what may not exist: a `None` is stored for the time of the class
    /// `short`.
    ///
    /// # Errors
    /// Those of `load`, and no others.
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
    /// let not_asked = || async { Err::<Option<String>, Error>(Error::other("the database was asked again")) };
    /// assert_eq!(cache.get_or_set_option("user:7", Options::new(), not_asked).await.unwrap(), None);
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
        let call = if asking::is_on() { call.asked::<S>() } else { call };
        let mut loading = match call::look(call, shape, Unkept).await {
            Ok(value) => return value,
            Err(loading) => loading,
        };
        // Called only now: a closure may do its reading before it returns its future.
        let returned = loading.run(&policy, load()).await;
        loading.settle(shape, &policy, returned)
    }

    /// The value under `key`, if there is one of this type; whatever stands in the way is a miss, which
    /// [`stats`](Self::stats) counts by reason.
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

    /// Stores `value` under `key`, whatever stands there (annotated functions are not served it: see
    /// [`Entry::set`](crate::Entry::set)), for the time to live of `options`. Loads under way on the key
    /// are not stored over it.
    ///
    /// The value counts as made now: as the tags of `options` are at this moment. For what was read from a database before,
    /// [`get_or_set`](Self::get_or_set) is safe against writes in between, and this is not.
    ///
    /// While a write of the key or of one of the tags is in progress ([`write`](Self::write), `#[redis_invalidate]`, `#[redis_put]`), be it
    /// the one that this is called from, nothing is stored: [`CacheError::Writing`]. A value that stood there before the commit would
    /// be served after it if the writer died.
    ///
    /// Otherwise nothing is compared, so a `set` that was given up ([`CacheError::Store`]), or repeated because its connection broke,
    /// may still arrive at the server, after an invalidation as well. `#[redis_put]` and [`get_or_set`](Self::get_or_set) know no such thing.
    ///
    /// The type counts: what is stored as a `String` is read as a `String`.
    ///
    /// # Errors
    /// [`CacheError`] says why the value was not stored, or that it is unknown whether it was; [`CacheError::KeyPattern`] that
    /// the key is a pattern, such as `user:*`, which nothing could remove by its key.
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
        // Without one of them the value would outlive what invalidates it.
        let tags = tags.into_iter().collect::<Result<Vec<_>, _>>().map_err(|_| CacheError::Unrenderable)?;
        let target = self.engine.target::<T>(&SET, key.as_ref()).with_tags(tags.into_iter());
        target.set(value, options.ttl).await
    }

    /// Removes the value under `key`, if there is one. Loads under way on the key are not stored.
    ///
    /// For keys that are rendered by hand; of a call of an annotated function [`entry!`](crate::entry) has the key, and
    /// [`Entry::remove`](crate::Entry::remove). It is one key: [`delete_matching`](Self::delete_matching) removes all that begin alike.
    ///
    /// # Errors
    /// [`CacheError`] if the store could not be asked: then the old value may still stand there. [`CacheError::KeyPattern`] for
    /// a pattern, such as `user:*`, with what to call instead; nothing is removed.
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

    /// Waits until all values that are being stored in the background are stored: before a process ends, and in tests.
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

    /// What happened since the cache was built: the counters of every annotated function of the program, called or not, and the
    /// state of the breaker. (Functions with `cache = ..` come with their first call.)
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
        let (engine, pending) = (&self.engine, self.engine.queue.len());
        let sweeping = pending == usize::MAX;
        Stats {
            store: engine.store.name(),
            breaker: engine.breaker(),
            pending: if sweeping { 1 } else { pending },
            sweeping,
            near: engine.near_in_use().map(Near::stats),
            sites: engine.site_stats(),
        }
    }
}
