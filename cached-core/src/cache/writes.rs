//! Invalidations and writes of callers without an attribute.
//!
//! # On cancellation
//! An invalidation that is dropped is applied in the background. A write that is dropped leaves its markers to run out.
//!
//! # When Redis is down
//! [`Outcome`] says what happened. What is [`Queued`](Outcome::Queued) is applied as soon as the store answers again; until
//! then this process neither reads nor stores what it is about.

use super::entry::Entry;
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

/// What one stretch of a sweep may take.
const STRETCH_WITHIN: Duration = Duration::from_secs(1);

static INVALIDATE: Site =
    Site::new(SiteSpec { name: "Cache::invalidate", role: Role::Invalidate, ..SiteSpec::DEFAULT });
static WRITE: Site = Site::new(SiteSpec { name: "Cache::write", role: Role::Invalidate, ..SiteSpec::DEFAULT });

impl Cache {
    /// Makes entries invalid, by key, by tag or by event: after the data they were made of has changed. Loads under way are
    /// not stored.
    ///
    /// One command for all, whatever the number of entries under a tag. For writes that should leave nothing old behind
    /// even if the process dies in between, use [`write`](Self::write).
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
    // Boxed, so that the future does not have the type of its argument: else one that is no `Invalidation` is an error for each, the
    // argument, the call and its `.await`.
    pub fn invalidate(&self, what: impl IntoInvalidation) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        let what = what.into();
        Box::pin(async move { self.written(&INVALIDATE, &what).invalidate().await })
    }

    /// Makes the entries invalid that listen to `event`: [`invalidate`](Self::invalidate) with nothing but an event.
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
    pub async fn emit<E: CacheEvent>(&self, event: &E) -> Outcome {
        self.invalidate(Invalidation::new().event(event)).await
    }

    /// Runs `work`, which changes the data, inside of a bracket: what it is about is invalid before it begins, and stays so
    /// until it has ended, whatever happens to this process. Returns what `work` returns, and what became of the
    /// invalidation at its end.
    ///
    /// One round trip before and one after. If the store cannot be asked, the work is done all the same; see
    /// [`try_write`](Self::try_write).
    ///
    /// The commit has to be part of `work`, and to take effect before the builder's
    /// [`marker`](crate::CacheBuilder::marker) has run out.
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
    pub async fn write<T>(&self, what: impl IntoInvalidation, work: impl Future<Output = T>) -> (T, Outcome) {
        let bracket = self.written(&WRITE, &what.into()).begin().await;
        let returned = work.await;
        (returned, bracket.ended().await)
    }

    /// As [`write`](Self::write), but does nothing at all if the bracket cannot begin, or if a part of what is to be invalidated
    /// names nothing: a pattern (`user:*`), or what cannot be rendered.
    ///
    /// # Errors
    /// Why it could not; `work` was not begun, and nothing was invalidated.
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
    pub async fn try_write<T>(
        &self,
        what: impl IntoInvalidation,
        work: impl Future<Output = T>,
    ) -> Result<(T, Outcome), CacheError> {
        let bracket = self.written(&WRITE, &what.into()).begin_or_fail().await?;
        let returned = work.await;
        Ok((returned, bracket.ended().await))
    }

    /// Gathers what the steps of a database transaction invalidate, to be applied around its commit.
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
    #[must_use = "what it gathers is applied by `commit`"]
    pub fn deferred(&self) -> Deferred {
        Deferred { cache: self.clone(), what: Invalidation::new() }
    }

    /// Removes everything that this cache's namespace holds, in all its versions: entries, leases, tags. No load under way
    /// is stored. Returns the number of registers removed; `progress` hears of it meanwhile.
    ///
    /// Goes through all keys of the server in short steps, so nobody has to wait for it; when it returns, all that stood
    /// there when it was called is gone. Values of former builds need no flush: they are never served to another.
    ///
    /// # Errors
    /// [`CacheError`] if a step failed: then some is left. Call it again.
    ///
    /// ```
    /// use cached_core::{Cache, Options};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cached_core::CacheError> {
    /// let cache = Cache::memory();
    /// cache.set("user:1", &1_u64, Options::new()).await?;
    /// assert_eq!(cache.flush_namespace(|removed| println!("{removed} removed")).await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn flush_namespace(&self, progress: impl FnMut(u64)) -> Result<u64, CacheError> {
        let prefix = self.engine().settings.prefix.namespace();
        self.sweep(prefix, progress).await
    }

    /// Removes the entries whose keys begin with `prefix`, the literal beginning of a template: `"user:"` for
    /// `key = "user:<id>"`. Otherwise as [`flush_namespace`](Self::flush_namespace): those of
    /// all builds and versions.
    ///
    /// # Errors
    /// [`CacheError`] if a step failed: then some is left. Call it again.
    ///
    /// ```
    /// use cached_core::{Cache, Options};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cached_core::CacheError> {
    /// let cache = Cache::memory();
    /// cache.set("user:1", &1_u64, Options::new()).await?;
    /// cache.set("order:1", &1_u64, Options::new()).await?;
    /// assert_eq!(cache.delete_matching("user:", |_| ()).await?, 1);
    /// assert_eq!(cache.get::<u64>("order:1").await, Some(1));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_matching(&self, prefix: impl AsRef<str>, progress: impl FnMut(u64)) -> Result<u64, CacheError> {
        let of_all = &self.engine().settings.prefix;
        let prefix = prefix.as_ref();
        hand::sweeps(prefix);
        let prefix = [of_all.entries(), prefix].concat();
        self.sweep(&prefix, progress).await
    }

    /// Waits until no invalidation is queued any more, for at most so long; whether that is so. At the end of a process:
    /// what is queued then is lost.
    ///
    /// ```
    /// use cached_core::Cache;
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert!(Cache::memory().drained(Duration::from_secs(5)).await);
    /// # }
    /// ```
    pub async fn drained(&self, within: Duration) -> bool {
        tokio::time::timeout(within, self.engine().drained()).await.is_ok()
    }

    async fn sweep(&self, prefix: &str, progress: impl FnMut(u64)) -> Result<u64, CacheError> {
        Ok(self.engine().sweep(prefix, STRETCH_WITHIN, progress).await?)
    }

    fn written(&self, site: &'static Site, what: &Invalidation) -> Write {
        Write::of(Some(Arc::clone(self.engine())), site).invalidation(what)
    }
}

/// What the steps of a transaction invalidate: [`Cache::deferred`].
///
/// Inside of a transaction only its own connection sees what it has written, so nothing may be invalidated yet, and nothing
/// that it reads may be cached: pass the transaction to functions without an attribute. Dropped without
/// [`commit`](Self::commit), as on a rollback, it does nothing.
///
/// ```
/// use cached_core::{Cache, CacheEvent, Deferred};
///
/// #[derive(CacheEvent)]
/// struct UserUpdated {
///     id: u64,
/// }
///
/// // A step of a transaction, which is given `&mut transaction` as well.
/// async fn rename(deferred: &mut Deferred, id: u64) {
///     deferred.event(&UserUpdated { id });
/// }
/// ```
#[derive(Debug)]
#[must_use = "what it gathers is applied by `commit`"]
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
    pub fn entry<T>(&mut self, entry: &Entry<T>) -> &mut Self {
        self.add(Invalidation::new().entry(entry))
    }

    /// Adds all entries that have the tag: see [`Invalidation::tag`].
    ///
    /// ```
    /// # let mut deferred = cached_core::Cache::memory().deferred();
    /// deferred.tag("tenant:7");
    /// ```
    pub fn tag(&mut self, tag: impl Into<Tag>) -> &mut Self {
        self.add(Invalidation::new().tag(tag))
    }

    /// Adds all entries that listen to the event: see [`Invalidation::event`].
    ///
    /// ```
    /// # #[derive(cached_core::CacheEvent)] struct UserUpdated { id: u64 }
    /// # let mut deferred = cached_core::Cache::memory().deferred();
    /// deferred.event(&UserUpdated { id: 42 });
    /// ```
    pub fn event<E: CacheEvent>(&mut self, event: &E) -> &mut Self {
        self.add(Invalidation::new().event(event))
    }

    /// Adds all of these.
    ///
    /// ```
    /// # let mut deferred = cached_core::Cache::memory().deferred();
    /// deferred.add(cached_core::Invalidation::new().key("user:42"));
    /// ```
    pub fn add(&mut self, what: Invalidation) -> &mut Self {
        self.what = std::mem::take(&mut self.what).and(what);
        self
    }

    /// Runs `commit` inside of a bracket around all that was gathered: [`Cache::write`]. Without anything gathered it just
    /// runs.
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

    /// As [`commit`](Self::commit), but does not commit if the bracket cannot begin: [`Cache::try_write`].
    ///
    /// # Errors
    /// Why it could not; `commit` was not begun.
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
