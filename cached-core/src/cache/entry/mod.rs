//! One entry: its key, and what belongs to it. By hand ([`Cache::entry`](crate::Cache::entry)) or of the call of an
//! annotated function ([`entry!`](crate::entry)); both have the same verbs.
//!
//! # On cancellation
//! A load is as that of an annotated function. A `set`, `prime` or `remove` that is dropped may have taken effect or
//! not. An invalidation is applied in the background.
//!
//! # When Redis is down
//! Making an entry does not ask the store. [`Entry::get_or_load`] loads, [`Entry::get`] and [`Entry::peek`] find nothing,
//! [`Entry::set`], [`Entry::prime`] and [`Entry::remove`] return an error, and invalidations of [`Entry::invalidate`]
//! are queued.

pub(crate) mod asked;
pub(crate) mod many;
mod options;
pub(crate) mod origin;
mod reads;
mod writes;

pub use many::Entries;
pub use origin::{ByHand, OfCall, Untyped};
pub use reads::Peek;

use crate::engine::handle::Cache;
use crate::engine::policy::Policy;
use crate::invalidation::Invalidation;
use origin::Origin;
use std::any::type_name;
use std::fmt;
use std::sync::Arc;

/// An entry of a cache: where a value stands, a `T`, and all that belongs to it.
///
/// | made by | is | knows |
/// |---|---|---|
/// | [`cache.entry("user:42")`](crate::Cache::entry) | the entry under a key written by hand | the options that are added to it: `.ttl(..)`, `.tag(..)`, .. |
/// | [`entry!(find_user(42))`](crate::entry) | the entry of a call of an annotated function | the function's key and options |
///
/// Both have these verbs:
///
/// | verb | does |
/// |---|---|
/// | [`get_or_load`](Self::get_or_load), [`get_or_load_option`](Self::get_or_load_option) | the value, loaded if there is none |
/// | [`get`](Self::get) | the value, if there is one |
/// | [`peek`](Self::peek) | the same with its age and the time left to it, and no call |
/// | [`set`](Self::set) | stores a value over whatever stands there |
/// | [`prime`](Self::prime) | stores a value if nothing stands there, and nobody is loading |
/// | [`remove`](Self::remove) | removes the value, or says why not |
/// | [`invalidate`](Self::invalidate) | invalidates it, now or as soon as the store answers |
///
/// An entry is a handle and cheap to clone. Whether anything stands under its key is only known when a verb asks. The
/// futures that the verbs return do not borrow it.
///
/// By hand, the verbs find out the type of the value, so it need not be written: an entry is [`Untyped`] until an option
/// with a closure names its type.
///
/// ```
/// use cached_core::{Cache, Entry, Outcome, redis_cached};
///
/// #[redis_cached(key = "blog-article:<slug>")]
/// async fn article(slug: &str) -> Result<Option<String>, std::io::Error> {
///     Ok(Some(format!("read from the database: {slug}")))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// Cache::builder().namespace("blog").build().unwrap().install();
/// let entry: Entry<String> = cached_core::entry!(article("42"))?;
/// assert_eq!(entry.redis_key(), "blog:k:blog-article:'42");
///
/// entry.set(&String::from("written by hand")).await?;
/// assert_eq!(article("42").await?.as_deref(), Some("written by hand"));
///
/// assert_eq!(entry.invalidate().await, Outcome::Applied);
/// assert_eq!(entry.get().await, None);
/// # Ok(())
/// # }
/// ```
#[must_use = "an entry does nothing until one of its verbs is called: `get_or_load`, `get`, `set`, .."]
pub struct Entry<T, O = OfCall> {
    origin: O,
    policy: Arc<Policy<T>>,
}

impl<T, O: Clone> Clone for Entry<T, O> {
    fn clone(&self) -> Self {
        Self { origin: self.origin.clone(), policy: Arc::clone(&self.policy) }
    }
}

impl<T, O: Origin> fmt::Debug for Entry<T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("key", &self.redis_key()).field("holds", &type_name::<T>()).finish()
    }
}

impl<T, O: Origin> Entry<T, O> {
    /// The entry's key, as a template renders it or as it was written by hand, without the cache's namespace. The text
    /// of an argument is escaped in it.
    ///
    /// ```
    /// # #[cached_core::redis_cached(key = "article-by:<slug>")]
    /// # async fn article(slug: &str) -> String { String::new() }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cached_core::EntryError> {
    /// # let cache = cached_core::Cache::memory();
    /// # cache.install();
    /// assert_eq!(cached_core::entry!(article("a:b"))?.key(), "article-by:a%3Ab");
    /// assert_eq!(cache.entry("user:42").key(), "user:42");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn key(&self) -> &str {
        self.origin.engine().settings.prefix.text_of(self.origin.key())
    }

    /// The key as it stands in Redis and in the log, with the cache's namespace in front, for use with `redis-cli`.
    ///
    /// ```
    /// # #[cached_core::redis_cached(key = "squared:<n>")]
    /// # async fn square(n: u64) -> u64 { n * n }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cached_core::EntryError> {
    /// # cached_core::Cache::builder().namespace("maths").build().unwrap().install();
    /// assert_eq!(cached_core::entry!(square(4))?.redis_key(), "maths:k:squared:4");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn redis_key(&self) -> &str {
        self.origin.key()
    }
}

impl Cache {
    /// The entry under a key written by hand. It has the [options](crate::guide::by_hand) of `#[redis_cached]` as
    /// methods, except for `error_if` and `error_ttl`, and the verbs of every [`Entry`]. Nothing is read until a verb is
    /// called.
    ///
    /// The key is used as it is, behind the cache's prefix. Escape the parts that users can choose, or let an attribute
    /// do it. Annotated functions and entries by hand never return each other's values, even under one key, because an
    /// entry belongs to its template; to remove and to invalidate a key concerns both. The type matters as well: a value
    /// that was stored as a `String` is only read as a `String`.
    ///
    /// All callers of one key should give it the same options, above all the same tags, events, codec and version.
    ///
    /// ```
    /// use cached_core::{Cache, CacheEvent};
    /// use std::time::Duration;
    ///
    /// #[derive(CacheEvent)]
    /// struct UserUpdated {
    ///     id: u64,
    /// }
    ///
    /// # async fn load_user(id: u64) -> Result<String, std::io::Error> { Ok(format!("user {id}")) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), std::io::Error> {
    /// let cache = Cache::memory();
    /// let user = cache
    ///     .entry("user:42")
    ///     .ttl(Duration::from_secs(60))
    ///     .tag("tenant:7")
    ///     .invalidate_on(&UserUpdated { id: 42 })
    ///     .get_or_load(|| load_user(42))
    ///     .await?;
    /// assert_eq!(user, "user 42");
    /// # Ok(())
    /// # }
    /// ```
    pub fn entry(&self, key: impl AsRef<str>) -> Entry<Untyped, ByHand> {
        Entry { origin: ByHand::of(self, key.as_ref()), policy: Arc::default() }
    }
}

impl<T, O: Origin> From<&Entry<T, O>> for Invalidation {
    fn from(entry: &Entry<T, O>) -> Self {
        Self::new().entry(entry)
    }
}

impl<T, O: Origin> From<Entry<T, O>> for Invalidation {
    fn from(entry: Entry<T, O>) -> Self {
        Self::from(&entry)
    }
}

impl Invalidation {
    /// Adds an entry: that of a call, from [`entry!`](crate::entry), or one by hand, from [`Cache::entry`].
    ///
    /// ```
    /// use cached_core::{Cache, Invalidation, Outcome, redis_cached};
    ///
    /// #[redis_cached(key = "article:<slug>")]
    /// async fn article(slug: &str) -> String {
    ///     format!("read from the database: {slug}")
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cached_core::EntryError> {
    /// let cache = Cache::memory();
    /// cache.install();
    /// let entry = cached_core::entry!(article("a:b"))?;
    /// let outcome = cache.invalidate(Invalidation::new().entry(&entry).tag("front-page")).await;
    /// assert_eq!(outcome, Outcome::Applied);
    /// # Ok(())
    /// # }
    /// ```
    pub fn entry<T, O: Origin>(self, entry: &Entry<T, O>) -> Self {
        entry.origin.add_to(self)
    }
}
