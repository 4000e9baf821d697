//! The verbs that write.

use super::Entry;
use super::origin::{Holds, Origin};
use crate::engine::Target;
use crate::engine::manual::Prepared;
use crate::engine::write::Write;
use crate::error::CacheError;
use crate::invalidation::{Invalidation, Outcome};
use crate::outcome::CacheValue;
use crate::site::{Role, Site, SiteSpec};
use std::pin::Pin;
use std::sync::Arc;

const fn site(name: &'static str) -> Site {
    Site::new(SiteSpec { name, role: Role::Invalidate, ..SiteSpec::DEFAULT })
}

static INVALIDATE: Site = site("Entry::invalidate");
pub(crate) static REMOVE: Site = site("Entry::remove");

impl<T, O: Origin> Entry<T, O> {
    /// Stores `value` as if it had just been loaded, with the time to live, jitter, tags, events and codec of the entry,
    /// so that [`get_or_load`](Self::get_or_load), or the function, returns it from now on. It replaces whatever stands
    /// under the key, and a load under way is not stored over it.
    ///
    /// The value counts as made now, with the tags as they are at this moment. If it was read from a database earlier, a
    /// write in between goes unnoticed; [`get_or_load`](Self::get_or_load) and the function are safe against that.
    ///
    /// While a write of the entry or of one of its tags is in progress ([`Cache::write`](crate::Cache::write),
    /// `#[redis_invalidate]`, `#[redis_put]`), this stores nothing and returns [`CacheError::Writing`], even if it is
    /// called from that very write. Otherwise a value stored before the commit would be served after it if the writer
    /// died. To store what a write returns, use `#[redis_put]`.
    ///
    /// Nothing else is compared. So a `set` that was given up ([`CacheError::Store`]), or repeated because its
    /// connection broke, may still reach the server, even after an invalidation. This cannot happen with `#[redis_put]`
    /// and [`get_or_load`](Self::get_or_load), nor with [`prime`](Self::prime).
    ///
    /// # Errors
    /// [`CacheError`] says why the value was not stored, or that it is unknown whether it was. [`CacheError::Policy`]
    /// means that the entry's own `ttl` or `cache_if` does not store it, [`CacheError::KeyPattern`] that a key by hand is
    /// a pattern, such as `user:*`, which nothing could remove by its key.
    ///
    /// ```
    /// # #[cached_core::redis_cached(key = "squared:<n>")]
    /// # async fn square(n: u64) -> u64 { n * n }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = cached_core::Cache::memory();
    /// # cache.install();
    /// use std::time::Duration;
    ///
    /// cache.entry("greeting").ttl(Duration::from_secs(60)).set(&String::from("hello")).await?;
    ///
    /// cached_core::entry!(square(4))?.set(&17).await?;
    /// assert_eq!(square(4).await, 17, "the body has not run");
    /// # Ok(())
    /// # }
    /// ```
    pub fn set<V>(&self, value: &V) -> Pin<Box<dyn Future<Output = Result<(), CacheError>> + Send>>
    where
        T: Holds<V>,
        V: CacheValue,
    {
        let prepared = self.prepared(value);
        Box::pin(async move {
            let (target, prepared) = prepared?;
            target.put(prepared).await
        })
    }

    /// Stores `value` only if nothing stands there and nobody is loading. Returns whether it was stored. For values that
    /// were made just now along with something else: an upload has made the thumbnail, and whoever asks for it next need
    /// not load it. What others have stored or are loading is at least as new, so it stays.
    ///
    /// Something that no call would be served counts as nothing: a value past its end, one of which a tag was
    /// invalidated, a damaged one. Unlike [`set`](Self::set), this cannot arrive late: it takes the lease of a load and
    /// fills it, so an invalidation that comes after it always wins. As with `set`, the value counts as made now, and a
    /// write between reading it and this call goes unnoticed. So rows that a list has brought are not for this: call the
    /// function, or a batch, which read them anew.
    ///
    /// # Errors
    /// Those of [`set`](Self::set).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cached_core::CacheError> {
    /// let cache = cached_core::Cache::memory();
    /// let thumbnail = cache.entry("thumbnail:7");
    /// assert!(thumbnail.prime(&String::from("made at the upload")).await?);
    /// assert!(!thumbnail.prime(&String::from("another")).await?, "there is a value");
    /// assert_eq!(thumbnail.get::<String>().await.as_deref(), Some("made at the upload"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn prime<V>(&self, value: &V) -> Pin<Box<dyn Future<Output = Result<bool, CacheError>> + Send>>
    where
        T: Holds<V>,
        V: CacheValue,
    {
        let prepared = self.prepared(value);
        Box::pin(async move {
            let (target, prepared) = prepared?;
            target.prime(prepared).await
        })
    }

    fn prepared<V: CacheValue>(&self, value: &V) -> Result<(Target, Prepared), CacheError>
    where
        T: Holds<V>,
    {
        self.origin.is_name()?;
        // Without one of its tags, the value would survive an invalidation of that tag.
        let target = self.origin.target::<V>().map_err(|_| CacheError::Unrenderable)?;
        let prepared = target.prepare(value, &T::policy(&self.policy))?;
        Ok((target, prepared))
    }

    /// Removes what stands under the key. If that fails it returns an error, and nothing is queued. A load under way is
    /// not stored. To remove all keys that begin alike, use [`Cache::delete_matching`](crate::Cache::delete_matching).
    ///
    /// # Errors
    /// [`CacheError`] if the store could not be asked; the old value may still be there. [`CacheError::KeyPattern`] if a
    /// key by hand is a pattern, such as `user:*`; it says what to call instead, and nothing is removed.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = cached_core::Cache::memory();
    /// // After the user was changed in the database:
    /// if let Err(error) = cache.entry("user:42").remove().await {
    ///     eprintln!("the old user may be served until its time to live is over: {error}");
    /// }
    /// # }
    /// ```
    pub fn remove(&self) -> Pin<Box<dyn Future<Output = Result<(), CacheError>> + Send>> {
        let is_name = self.origin.is_name();
        let origin = self.origin.clone();
        Box::pin(async move {
            is_name?;
            origin.invalidates();
            origin.engine().target_by_key(&REMOVE, origin.key().clone()).remove().await.map(drop)
        })
    }

    /// Invalidates the entry in all processes; call it after its data has changed. A load under way is not stored. If
    /// the store is out of reach, it is queued.
    ///
    /// [`Cache::invalidate`](crate::Cache::invalidate) does the same for the entry together with tags, events and other
    /// entries, and [`Cache::write`](crate::Cache::write) with a bracket around the change.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = cached_core::Cache::memory();
    /// assert_eq!(cache.entry("user:42").invalidate().await, cached_core::Outcome::Applied);
    /// # }
    /// ```
    pub fn invalidate(&self) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        let origin = self.origin.clone();
        Box::pin(async move {
            let write = Write::of(Some(Arc::clone(origin.engine())), &INVALIDATE);
            write.invalidation(&origin.add_to(Invalidation::new())).invalidate().await
        })
    }
}
