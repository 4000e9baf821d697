//! The entry of a call of an annotated function, found by the call itself, so nobody has to render its key.
//!
//! # On cancellation
//! As for the methods of [`Cache`](crate::Cache) with the same names.
//!
//! # When Redis is down
//! Making an entry does not ask the store. [`Entry::get`] misses, [`Entry::set`] and [`Entry::remove`] return an error,
//! and invalidations of [`Entry::invalidate`] are queued.

use crate::engine::asking::{self, CallDescription};
use crate::engine::policy::Policy;
use crate::engine::write::Write;
use crate::engine::{Engine, Target};
use crate::error::{CacheError, EntryError};
use crate::invalidation::{Invalidation, Outcome};
use crate::outcome::{CacheValue, Probe, Shape};
use crate::site::{Role, Site, SiteSpec};
use std::any::type_name;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

const fn site(name: &'static str) -> Site {
    Site::new(SiteSpec { name, role: Role::Invalidate, ..SiteSpec::DEFAULT })
}

static INVALIDATE: Site = site("Entry::invalidate");
static REMOVE: Site = site("Entry::remove");

/// The entry of one call, made by [`entry!`](crate::entry): where a cached function stores what this call returns, a
/// `T`.
///
/// It consists of the key and all that belongs to it: the cache and the function's time to live, tags, events and
/// codec. The function's arguments alone say which entry is meant, so nobody has to know how the key is rendered.
///
/// An entry is a handle and cheap to clone. Whether anything is stored under the key is only known when
/// [`get`](Self::get) asks.
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
pub struct Entry<T> {
    target: Target,
    policy: Arc<Policy<T>>,
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Self { target: self.target.clone(), policy: Arc::clone(&self.policy) }
    }
}

impl<T> fmt::Debug for Entry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("key", &self.redis_key()).field("holds", &type_name::<T>()).finish()
    }
}

impl<T> Entry<T> {
    /// The key in the form that the methods of [`Cache`](crate::Cache) and [`Invalidation`] take.
    ///
    /// [`Cache`](crate::Cache) reads and stores its own values under it, and not the function's: see
    /// [`Cache::get_or_set`](crate::Cache::get_or_set). The entry's own methods read and store the function's values.
    /// If an argument is just a `*`, the key looks like a pattern, and the methods of [`Cache`](crate::Cache) refuse
    /// it.
    ///
    /// ```
    /// # #[cached_core::redis_cached(key = "squared:<n>")]
    /// # async fn square(n: u64) -> u64 { n * n }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cached_core::EntryError> {
    /// # cached_core::Cache::builder().namespace("maths").build().unwrap().install();
    /// assert_eq!(cached_core::entry!(square(4))?.key(), "squared:4");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn key(&self) -> &str {
        self.target.engine().settings.prefix.text_of(self.target.key())
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
        self.target.key()
    }

    /// Invalidates the entry in all processes; call it after its data has changed. A load under way is not stored.
    ///
    /// [`Cache::invalidate`](crate::Cache::invalidate) does the same for the entry together with tags, events and other
    /// entries, and [`Cache::write`](crate::Cache::write) with a bracket around the change.
    ///
    /// ```
    /// # #[cached_core::redis_cached(key = "squared:<n>")]
    /// # async fn square(n: u64) -> u64 { n * n }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cached_core::EntryError> {
    /// # cached_core::Cache::memory().install();
    /// let outcome = cached_core::entry!(square(4))?.invalidate().await;
    /// assert_eq!(outcome, cached_core::Outcome::Applied);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn invalidate(&self) -> Outcome {
        let write = Write::of(Some(Arc::clone(self.engine())), &INVALIDATE);
        write.invalidation(&Invalidation::new().entry(self)).invalidate().await
    }

    /// Removes what stands under the key, like [`Cache::delete`](crate::Cache::delete). If that fails it returns an
    /// error, and nothing is queued. A load under way is not stored.
    ///
    /// # Errors
    /// [`CacheError`] if the store could not be asked; the old value may still be there.
    ///
    /// ```
    /// # #[cached_core::redis_cached(key = "squared:<n>")]
    /// # async fn square(n: u64) -> u64 { n * n }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # cached_core::Cache::memory().install();
    /// cached_core::entry!(square(4))?.remove().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn remove(&self) -> Result<(), CacheError> {
        self.target.clone().at(&REMOVE).remove().await.map(drop)
    }

    fn engine(&self) -> &Arc<Engine> {
        self.target.engine()
    }

    /// The entry at `target`, which is one of the description's.
    fn of(target: Target, description: &CallDescription) -> Result<Self, EntryError>
    where
        T: 'static,
    {
        let CallDescription { function, holds, policy, .. } = description;
        let policy = policy.clone().ok_or(EntryError::NoCall)?;
        let policy = policy.downcast().map_err(|_| EntryError::Type { function, holds, returns: type_name::<T>() })?;
        Ok(Self { target, policy })
    }
}

impl<T: CacheValue> Entry<T> {
    /// The stored value, if the function would return it now. A stored `None` of the function is a `None` here as well.
    /// The statistics count this as a call of the function, served or unserved.
    ///
    /// It does not ask the near cache, loads nothing, and waits for nothing but the store.
    ///
    /// ```
    /// # #[cached_core::redis_cached(key = "squared:<n>")]
    /// # async fn square(n: u64) -> u64 { n * n }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cached_core::EntryError> {
    /// # let cache = cached_core::Cache::memory();
    /// # cache.install();
    /// let entry = cached_core::entry!(square(4))?;
    /// assert_eq!(entry.get().await, None);
    /// square(4).await;
    /// cache.settled().await;
    /// assert_eq!(entry.get().await, Some(16));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self) -> Option<T> {
        self.target.clone().get().await
    }

    /// Stores `value` as if the function had loaded it, with its time to live, jitter, tags, events and codec, so the
    /// function returns it from now on. It replaces whatever stands under the key, and a load under way is not stored
    /// over it.
    ///
    /// The value counts as made now. If it was read from a database earlier, a write in between goes unnoticed; the
    /// function itself is safe against that. See [`Cache::set`](crate::Cache::set), which has the same limits.
    ///
    /// While a write of the entry or of one of its tags is in progress ([`Cache::write`](crate::Cache::write),
    /// `#[redis_invalidate]`, `#[redis_put]`), this stores nothing and returns [`CacheError::Writing`], even if it is
    /// called from that very write. To store what a write returns, use `#[redis_put]`.
    ///
    /// # Errors
    /// [`CacheError`] says why the value was not stored, or that it is unknown whether it was. [`CacheError::Policy`]
    /// means that the function's own `ttl` or `cache_if` does not store it.
    ///
    /// ```
    /// # #[cached_core::redis_cached(key = "squared:<n>")]
    /// # async fn square(n: u64) -> u64 { n * n }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # cached_core::Cache::memory().install();
    /// cached_core::entry!(square(4))?.set(&17).await?;
    /// assert_eq!(square(4).await, 17, "the body has not run");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set(&self, value: &T) -> Result<(), CacheError> {
        self.target.clone().set_by(value, &self.policy).await
    }
}

impl<T> From<&Entry<T>> for Invalidation {
    fn from(entry: &Entry<T>) -> Self {
        Self::new().entry(entry)
    }
}

impl<T> From<Entry<T>> for Invalidation {
    fn from(entry: Entry<T>) -> Self {
        Self::from(&entry)
    }
}

/// The [`Entry`] of a call of a `#[redis_cached]` function: `entry!(find_user(42))`. The function's body does not run.
///
/// Pass the call without `.await`. It may be the future of any function or method with the attribute, including generic
/// ones and those of traits (with or without `#[async_trait]`), or of [`Cache::get_or_set`](crate::Cache::get_or_set).
/// The result is a `Result<Entry<T>, EntryError>`, where `T` is the stored type: `User` if the function returns
/// `Result<Option<User>, DbError>`. The macro awaits nothing and does not ask the store.
///
/// The cache is the one that the call would use: that of `cache = ..`, of the [scope](crate::Cache::scope) around this,
/// or the installed one.
///
/// # How it works
///
/// The call is polled once and dropped. An annotated function renders its key before anything else. Polled in this way,
/// it returns the entry instead of reading the value. As in any call, expressions in its attribute are evaluated and
/// arguments are moved in.
///
/// If you pass a function of your own *around* the call, its body runs up to the call and never continues. The entry is
/// that of the *first* annotated function that the body calls, which may be another one than you meant. So pass the
/// call itself.
///
/// # Errors
/// [`EntryError`](crate::EntryError) if the future is not such a call, or the call has no entry.
///
/// ```
/// use cached_core::{Cache, CacheEvent, Invalidation, Outcome, redis_cached};
///
/// #[derive(CacheEvent)]
/// struct UserUpdated {
///     id: u64,
/// }
///
/// struct Users;
///
/// impl Users {
///     #[redis_cached(key = "member:<id>")]
///     async fn find(&self, id: u64) -> Result<Option<String>, std::io::Error> {
///         Ok(Some(format!("user {id}")))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let cache = Cache::memory();
/// # cache.install();
/// let users = Users;
/// let entry = cached_core::entry!(users.find(42))?;
/// entry.set(&String::from("Ada")).await?;
/// assert_eq!(users.find(42).await?.as_deref(), Some("Ada"));
///
/// // Together with an event, and around the change:
/// let what = Invalidation::new().entry(&entry).event(&UserUpdated { id: 42 });
/// let (_, outcome) = cache.write(what, async { /* UPDATE .. */ }).await;
/// assert_eq!(outcome, Outcome::Applied);
/// assert_eq!(entry.get().await, None);
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! entry {
    ($call:expr $(,)?) => {
        // Not a `let`, because what the call borrows has to live until the call was polled.
        match $crate::__private::Question($call) {
            call => {
                #[allow(unused_imports)]
                use $crate::__private::{
                    NoQuestion as _, ShapeOfOption as _, ShapeOfResult as _, ShapeOfResultOption as _,
                    ShapeOfValue as _,
                };
                let shape = (&&&&call.__cached_core_returns()).__cached_core_shape();
                call.__cached_core_ask(shape)
            }
        }
    };
    ($($other:tt)*) => {
        ::core::compile_error!("`entry!` takes one call, not awaited; write `entry!(find_user(42))`")
    };
}

/// The entries of a call over many ids (`batch = ids`): one [`Entry`] for each id, in their order. An id that is named
/// twice has two equal entries. Otherwise like [`entry!`](crate::entry).
///
/// # Errors
/// [`EntryError`](crate::EntryError) if the future is not such a call, or one of the ids has no entry.
///
/// ```
/// use cached_core::{Cache, redis_cached};
/// use std::collections::HashMap;
///
/// #[redis_cached(key = "member:<id>", batch = ids)]
/// async fn find_members(ids: &[u64]) -> Result<HashMap<u64, String>, std::io::Error> {
///     Ok(ids.iter().map(|id| (*id, format!("user {id}"))).collect())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # Cache::memory().install();
/// let entries = cached_core::entries!(find_members(&[1, 2]))?;
/// entries[1].set(&String::from("Ada")).await?;
/// assert_eq!(find_members(&[1, 2]).await?[&2], "Ada");
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! entries {
    ($call:expr $(,)?) => {
        match $crate::__private::Question($call) {
            call => {
                #[allow(unused_imports)]
                use $crate::__private::NoQuestion as _;
                call.__cached_core_ask_each()
            }
        }
    };
    ($($other:tt)*) => {
        ::core::compile_error!("`entries!` takes one call, not awaited; write `entries!(find_users(&[1, 2]))`")
    };
}

/// A type that may be a call.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no entry: it is no call",
    label = "pass the call itself, not awaited: `entry!(find_user(42))`"
)]
pub trait Callable: Future {}

#[diagnostic::do_not_recommend]
impl<F: Future> Callable for F {}

/// A future that is asked for its entry.
pub struct Question<F>(pub F);

impl<F> fmt::Debug for Question<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Question")
    }
}

impl<F: Future> Question<F> {
    /// A probe of the call's return type.
    pub fn __cached_core_returns(&self) -> Probe<F::Output> {
        Probe::NEW
    }

    /// The entry of the call, which returns values of this shape.
    ///
    /// # Errors
    /// Says why the call has no entry.
    pub fn __cached_core_ask<S: Shape<Item = T>, T: 'static>(self, _: S) -> Result<Entry<T>, EntryError> {
        let mut description = one_answer(self.0)?;
        match description.targets.pop() {
            Some(target) if !description.is_batch => Entry::of(target, &description),
            _ => Err(EntryError::Batch { function: description.function }),
        }
    }

    /// The entries of a call over many ids.
    ///
    /// # Errors
    /// Says why the call has no entries.
    pub fn __cached_core_ask_each<T: 'static>(self) -> Result<Vec<Entry<T>>, EntryError>
    where
        F::Output: ManyEntries<Item = T>,
    {
        let mut description = one_answer(self.0)?;
        if !description.is_batch {
            return Err(EntryError::NoBatch { function: description.function });
        }
        let targets = std::mem::take(&mut description.targets);
        targets.into_iter().map(|target| Entry::of(target, &description)).collect()
    }
}

/// Method resolution finds this for a type that is no future. It makes the one error, and returns something so that no
/// other errors follow.
pub trait NoQuestion<F>: Sized {
    /// Never called.
    fn __cached_core_returns(&self) -> Probe<()>
    where
        F: Callable,
    {
        Probe::NEW
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    fn __cached_core_ask<S, T>(self, _: S) -> Result<Entry<T>, EntryError> {
        Err(EntryError::NoCall)
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    fn __cached_core_ask_each<T>(self) -> Result<Vec<Entry<T>>, EntryError>
    where
        F: Callable,
    {
        Err(EntryError::NoCall)
    }
}

impl<F> NoQuestion<F> for Question<F> {}

fn one_answer(call: impl Future) -> Result<CallDescription, EntryError> {
    let mut answers = asking::ask(call).into_iter();
    let first = answers.next().ok_or(EntryError::NoCall)??;
    match answers.next() {
        None => Ok(first),
        Some(second) => Err(EntryError::Several { first: first.function, second: second?.function }),
    }
}

/// The return type of a call over many ids.
#[diagnostic::on_unimplemented(
    message = "a call that returns `{Self}` is none over many ids",
    label = "write `entry!(..)` for the entry of one call",
    note = "functions with `batch = ids` return `HashMap<Id, T>`, `BTreeMap<Id, T>` or `Vec<Option<T>>`, or one of these in a `Result`"
)]
pub trait ManyEntries {
    /// The stored value of one id.
    type Item: CacheValue;
}

impl<Id, T: CacheValue, S> ManyEntries for HashMap<Id, T, S> {
    type Item = T;
}

impl<Id, T: CacheValue> ManyEntries for BTreeMap<Id, T> {
    type Item = T;
}

impl<T: CacheValue> ManyEntries for Vec<Option<T>> {
    type Item = T;
}

impl<C: ManyEntries, E> ManyEntries for Result<C, E> {
    type Item = C::Item;
}

impl Invalidation {
    /// Adds the entry of a call, from [`entry!`](crate::entry).
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
    pub fn entry<T>(self, entry: &Entry<T>) -> Self {
        self.by_text(entry.key())
    }
}
