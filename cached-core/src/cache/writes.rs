//! Invalidations and writes without an attribute.
//!
//! # On cancellation
//! An invalidation that is dropped is applied in the background. The markers of a write that is dropped end by
//! themselves.
//!
//! # When Redis is down
//! [`Outcome`] says what happened. A [`Queued`](Outcome::Queued) invalidation is applied as soon as the store answers
//! again. Until then, this process neither reads nor stores the entries that it invalidates.

use super::entry::Entry;
use super::entry::origin::Origin;
use super::writing::Writing;
use crate::engine::handle::Cache;
use crate::engine::write::Write;
use crate::error::CacheError;
use crate::event::CacheEvent;
use crate::hand;
use crate::invalidation::{IntoInvalidation, Invalidation, Outcome, Tag};
use crate::site::{Role, Site, SiteSpec};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// The longest that one step of a sweep may take.
const SWEEP_STEP_LIMIT: Duration = Duration::from_secs(1);

static INVALIDATE: Site =
    Site::new(SiteSpec { name: "Cache::invalidate", role: Role::Invalidate, ..SiteSpec::DEFAULT });
static WRITE: Site = Site::new(SiteSpec { name: "Cache::write", role: Role::Invalidate, ..SiteSpec::DEFAULT });

impl Cache {
    /// Invalidates entries by key, tag or event; call it after their data has changed. Loads under way are not stored.
    ///
    /// This takes one command, however many entries have a tag. If nothing old may remain even if the process dies
    /// between the change and the invalidation, use [`write`](Self::write).
    ///
    /// ```
    /// use cached_core::{Cache, Invalidation, Outcome};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// // The user was changed in the database ..
    /// let outcome = cache.invalidate(Invalidation::new().key("user:42").tag("tenant:7")).await;
    /// assert_eq!(outcome, Outcome::Applied);
    /// # }
    /// ```
    // Boxed, so that the future does not contain the type of its argument. Otherwise an argument that is no
    // `Invalidation` would make three errors: for the argument, the call and its `.await`.
    pub fn invalidate(&self, what: impl IntoInvalidation) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        let what = what.into();
        Box::pin(async move { self.new_write(&INVALIDATE, &what).invalidate().await })
    }

    /// Invalidates the entries that depend on `event`, like [`invalidate`](Self::invalidate).
    ///
    /// ```
    /// use cached_core::{Cache, CacheEvent, Outcome};
    ///
    /// #[derive(CacheEvent)]
    /// struct UserUpdated {
    ///     id: u64,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert_eq!(Cache::memory().emit(&UserUpdated { id: 42 }).await, Outcome::Applied);
    /// # }
    /// ```
    // Boxed like `invalidate`, for the same reason.
    pub fn emit<E: CacheEvent + ?Sized>(&self, event: &E) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        self.invalidate(Invalidation::new().event(event))
    }

    /// Runs `work`, which changes the data, inside a bracket: the entries of `what` are invalidated before `work`
    /// begins and stay invalid until it has ended, whatever happens to this process. Returns what `work` returns, and
    /// the outcome of the invalidation at the end.
    ///
    /// This takes one round trip before `work` and one after. If the store cannot be asked, `work` runs all the same;
    /// see [`try_write`](Self::try_write).
    ///
    /// The commit has to be part of `work`, and has to take effect before the builder's
    /// [`write_marker_ttl`](crate::CacheBuilder::write_marker_ttl) is over.
    ///
    /// ```
    /// use cached_core::{Cache, Invalidation, Outcome};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// let what = Invalidation::new().key("user:42");
    /// let (saved, outcome) = cache.write(what, async { Ok::<_, std::io::Error>("saved") }).await;
    /// assert_eq!((saved.unwrap(), outcome), ("saved", Outcome::Applied));
    /// # }
    /// ```
    pub fn write<T, F: Future<Output = T>>(&self, what: impl IntoInvalidation, work: F) -> Writing<T, F> {
        let (cache, what) = (self.clone(), what.into());
        Writing::new(async move { Ok(cache.new_write(&WRITE, &what).begin().await) }, work)
    }

    /// Like [`write`](Self::write), but does nothing if the bracket cannot begin, or if a part of `what` names no
    /// register: a pattern (`user:*`), or something that cannot be rendered.
    ///
    /// # Errors
    /// Says why the bracket could not begin; `work` did not run, and nothing was invalidated.
    ///
    /// ```
    /// use cached_core::{Cache, Invalidation};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cached_core::CacheError> {
    /// let what = Invalidation::new().key("user:42");
    /// let (saved, _outcome) = Cache::memory().try_write(what, async { "saved" }).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_write<T, F: Future<Output = T>>(
        &self,
        what: impl IntoInvalidation,
        work: F,
    ) -> Writing<T, F, CacheError> {
        let (cache, what) = (self.clone(), what.into());
        Writing::new(async move { cache.new_write(&WRITE, &what).begin_or_fail().await }, work)
    }

    /// Collects what the steps of a database transaction invalidate, and applies it around the commit.
    ///
    /// ```
    /// use cached_core::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// let mut deferred = cache.deferred();
    /// // Inside of the transaction, wherever something is changed:
    /// deferred.key("user:42").tag("tenant:7");
    /// // At its end:
    /// let (committed, _outcome) = deferred.commit(async { Ok::<_, std::io::Error>(()) /* transaction.commit() */ }).await;
    /// assert!(committed.is_ok());
    /// # }
    /// ```
    #[must_use = "what it collects is applied by `commit`"]
    pub fn deferred(&self) -> Deferred {
        Deferred { cache: self.clone(), what: Invalidation::new() }
    }

    /// Removes all registers in this cache's namespace, of all versions: entries, leases, tags. Loads under way are not
    /// stored. Returns the number of removed registers.
    ///
    /// This goes through all keys of the server in short steps, so it does not block the server. When it returns,
    /// everything that was there when it was called is gone. Values of former builds need not be cleared, because no
    /// other build reads them.
    ///
    /// # Errors
    /// [`CacheError`] if a step failed. Some registers are left then; call it again.
    ///
    /// ```
    /// use cached_core::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cached_core::CacheError> {
    /// let cache = Cache::memory();
    /// cache.entry("user:1").set(&1_u64).await?;
    /// assert_eq!(cache.clear().await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn clear(&self) -> Result<u64, CacheError> {
        let prefix = self.engine().settings.prefix.namespace();
        self.sweep(prefix).await
    }

    /// Removes the entries whose keys begin with `prefix`, the literal beginning of a template: `"user:"` for `key =
    /// "user:<id>"`. Like [`clear`](Self::clear), it removes those of all builds and versions.
    ///
    /// # Errors
    /// [`CacheError`] if a step failed. Some entries are left then; call it again.
    ///
    /// ```
    /// use cached_core::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cached_core::CacheError> {
    /// let cache = Cache::memory();
    /// cache.entry("user:1").set(&1_u64).await?;
    /// cache.entry("order:1").set(&1_u64).await?;
    /// assert_eq!(cache.delete_matching("user:").await?, 1);
    /// assert_eq!(cache.entry("order:1").get::<u64>().await, Some(1));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_matching(&self, prefix: impl AsRef<str>) -> Result<u64, CacheError> {
        let namespace = &self.engine().settings.prefix;
        let prefix = prefix.as_ref();
        hand::sweeps(prefix);
        let prefix = [namespace.entries(), prefix].concat();
        self.sweep(&prefix).await
    }

    async fn sweep(&self, prefix: &str) -> Result<u64, CacheError> {
        Ok(self.engine().sweep(prefix, SWEEP_STEP_LIMIT).await?)
    }

    fn new_write(&self, site: &'static Site, what: &Invalidation) -> Write {
        Write::of(Some(Arc::clone(self.engine())), site).invalidation(what)
    }
}

/// Gathers what the steps of a transaction invalidate; made by [`Cache::deferred`].
///
/// Only the transaction's own connection sees its changes before the commit. So nothing may be invalidated yet, and
/// nothing that the transaction reads may be cached: pass the transaction to functions without an attribute. If this is
/// dropped without [`commit`](Self::commit), as on a rollback, it does nothing.
///
/// ```
/// use cached_core::{Cache, CacheEvent, Deferred};
///
/// #[derive(CacheEvent)]
/// struct UserUpdated {
///     id: u64,
/// }
///
/// // A step of a transaction, which also gets `&mut transaction`.
/// async fn rename(deferred: &mut Deferred, id: u64) {
///     deferred.event(&UserUpdated { id });
/// }
/// ```
#[derive(Debug)]
#[must_use = "what it collects is applied by `commit`"]
pub struct Deferred {
    cache: Cache,
    what: Invalidation,
}

impl Deferred {
    /// Adds the entry under `key`: see [`Invalidation::key`].
    ///
    /// ```
    /// # let mut deferred = cached_core::Cache::memory().deferred();
    /// deferred.key("user:42");
    /// ```
    pub fn key(&mut self, key: impl Into<String>) -> &mut Self {
        self.add(Invalidation::new().key(key))
    }

    /// Adds the entry of a call: see [`Invalidation::entry`].
    ///
    /// ```
    /// # #[cached_core::redis_cached(key = "square:<n>")]
    /// # async fn square(n: u64) -> u64 { n * n }
    /// # fn main() -> Result<(), cached_core::EntryError> {
    /// # let cache = cached_core::Cache::memory();
    /// # cache.install();
    /// let mut deferred = cache.deferred();
    /// deferred.entry(&cached_core::entry!(square(4))?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn entry<T, O: Origin>(&mut self, entry: &Entry<T, O>) -> &mut Self {
        self.add(Invalidation::new().entry(entry))
    }

    /// Adds all entries with the tag: see [`Invalidation::tag`].
    ///
    /// ```
    /// # let mut deferred = cached_core::Cache::memory().deferred();
    /// deferred.tag("tenant:7");
    /// ```
    pub fn tag(&mut self, tag: impl Into<Tag>) -> &mut Self {
        self.add(Invalidation::new().tag(tag))
    }

    /// Adds all entries that depend on the event: see [`Invalidation::event`].
    ///
    /// ```
    /// # #[derive(cached_core::CacheEvent)] struct UserUpdated { id: u64 }
    /// # let mut deferred = cached_core::Cache::memory().deferred();
    /// deferred.event(&UserUpdated { id: 42 });
    /// ```
    pub fn event<E: CacheEvent + ?Sized>(&mut self, event: &E) -> &mut Self {
        self.add(Invalidation::new().event(event))
    }

    /// Adds everything that `what` names.
    ///
    /// ```
    /// # let mut deferred = cached_core::Cache::memory().deferred();
    /// deferred.add(cached_core::Invalidation::new().key("user:42"));
    /// ```
    pub fn add(&mut self, what: Invalidation) -> &mut Self {
        self.what = std::mem::take(&mut self.what).and(what);
        self
    }

    /// Runs `commit` inside a bracket around all that was collected, like [`Cache::write`]. If nothing was collected,
    /// it just runs `commit`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let transaction = async { Ok::<_, std::io::Error>(()) };
    /// let deferred = cached_core::Cache::memory().deferred();
    /// let (committed, _outcome) = deferred.commit(transaction /* .commit() */).await;
    /// # committed.unwrap();
    /// # }
    /// ```
    pub async fn commit<T>(self, commit: impl Future<Output = T>) -> (T, Outcome) {
        let Self { cache, what } = self;
        if what.is_empty() {
            return (commit.await, Outcome::Applied);
        }
        cache.write(what, commit).await
    }

    /// Like [`commit`](Self::commit), but does not commit if the bracket cannot begin, like [`Cache::try_write`].
    ///
    /// # Errors
    /// Says why the bracket could not begin; `commit` did not run.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cached_core::CacheError> {
    /// # let transaction = async { Ok::<_, std::io::Error>(()) };
    /// let deferred = cached_core::Cache::memory().deferred();
    /// let (committed, _outcome) = deferred.try_commit(transaction /* .commit() */).await?;
    /// # committed.unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_commit<T>(self, commit: impl Future<Output = T>) -> Result<(T, Outcome), CacheError> {
        let Self { cache, what } = self;
        if what.is_empty() {
            return Ok((commit.await, Outcome::Applied));
        }
        cache.try_write(what, commit).await
    }
}
