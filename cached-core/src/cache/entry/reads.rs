//! The verbs that read.

use super::Entry;
use super::origin::{Holds, NoTarget, Origin, Runs};
use crate::engine::call;
use crate::near::keep::{Keep, KeepBoth, Unkept};
use crate::outcome::{CacheValue, NoError, ResultOption, ResultValue, Shape};
use std::pin::Pin;
use std::time::Duration;

/// A value as it stands under its key: [`Entry::peek`].
///
/// ```
/// use cached_core::{Cache, Clock};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cached_core::CacheError> {
/// let clock = Clock::manual();
/// let cache = Cache::builder().clock(clock.clone()).build().unwrap();
/// let entry = cache.entry("greeting").ttl(Duration::from_secs(60)).jitter(0.0);
/// entry.set(&String::from("hello")).await?;
/// clock.advance(Duration::from_secs(20));
///
/// let peek = entry.peek::<String>().await.unwrap();
/// assert_eq!(peek.value.as_deref(), Some("hello"));
/// assert_eq!((peek.age, peek.left), (Some(Duration::from_secs(20)), Some(Duration::from_secs(40))));
/// assert!(!peek.is_past_end);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peek<T> {
    /// The value. `None` if it is stored that there is none, as by [`Entry::get_or_load_option`].
    pub value: Option<T>,
    /// How long ago it was stored. It is computed from the entry's time to live and jitter, which must be those that it
    /// was stored with. `None` if they cannot be, or if [`left`](Self::left) is not known. Wrong by up to the jitter once
    /// a [`refresh`](crate::refresh) has begun over it and stored nothing.
    pub age: Option<Duration>,
    /// How long it is served without a refresh, unless it is invalidated; zero if it is past its end. `None` if the
    /// store does not say: a store of your own may not.
    pub left: Option<Duration>,
    /// Whether its time is over. It is kept for `stale_while_revalidate` and `stale_if_error` only.
    pub is_past_end: bool,
}

impl<T, O: Origin> Entry<T, O> {
    /// The value. If there is none, calls `load`, stores what it returns, and returns it: what `#[redis_cached]` does.
    /// Callers share loads by key and type, in this process and all others; an `Err` is never stored.
    ///
    /// The entry of a call is loaded as by its function, which shares the load. Only its near cache is not asked, its
    /// loads are no tasks, and it neither serves nor stores errors that the function's `error_if` chooses: where one
    /// stands, it loads.
    ///
    /// # Errors
    /// Only those of `load`.
    ///
    /// ```
    /// use cached_core::Cache;
    /// use std::io::Error;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Error> {
    /// let cache = Cache::memory();
    /// let entry = cache.entry("user:42");
    /// let user = entry.get_or_load(|| async { Ok::<_, Error>(String::from("Ada")) }).await?;
    /// cache.flush().await;
    ///
    /// let not_called = || async { Err::<String, _>(Error::other("the database was asked again")) };
    /// assert_eq!(entry.get_or_load(not_called).await?, user);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_or_load<V, E, F, Fut>(&self, load: F) -> impl Future<Output = Result<V, E>> + use<T, O, V, E, F, Fut>
    where
        T: Holds<V>,
        V: CacheValue,
        O: Origin<Keep: Keep<V>, Run: Runs<ResultValue<V, E>, Fut>>,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<V, E>>,
    {
        self.loaded(ResultValue::default(), load)
    }

    /// Like [`get_or_load`](Self::get_or_load), for values that may not exist: a `None` is stored for the time of
    /// `none_ttl`, by default the class `short`.
    ///
    /// # Errors
    /// Only those of `load`.
    ///
    /// ```
    /// use cached_core::Cache;
    /// use std::io::Error;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Error> {
    /// let cache = Cache::memory();
    /// let entry = cache.entry("user:7");
    /// let nobody = || async { Ok::<Option<String>, Error>(None) };
    /// assert_eq!(entry.get_or_load_option(nobody).await?, None);
    /// cache.flush().await;
    ///
    /// let not_called = || async { Err::<Option<String>, _>(Error::other("the database was asked again")) };
    /// assert_eq!(entry.get_or_load_option(not_called).await?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_or_load_option<V, E, F, Fut>(
        &self,
        load: F,
    ) -> impl Future<Output = Result<Option<V>, E>> + use<T, O, V, E, F, Fut>
    where
        T: Holds<V>,
        V: CacheValue,
        O: Origin<Keep: Keep<V>, Run: Runs<ResultOption<V, E>, Fut>>,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Option<V>, E>>,
    {
        self.loaded(ResultOption::default(), load)
    }

    fn loaded<S, F, Fut>(&self, shape: S, load: F) -> impl Future<Output = S::Return> + use<T, O, S, F, Fut>
    where
        S: Shape<Error = NoError>,
        T: Holds<S::Item>,
        O: Origin<Keep: Keep<S::Item>, Run: Runs<S, Fut>>,
        F: FnOnce() -> Fut,
        Fut: Future<Output = S::Return>,
    {
        let (origin, policy) = (self.origin.clone(), T::policy(&self.policy));
        async move {
            let call = match origin.call(shape) {
                Ok(value) => return value,
                Err(call) => call,
            };
            let loading = match call::read(call, shape, KeepBoth(O::Keep::default(), Unkept)).await {
                Ok(value) => return value,
                Err(loading) => loading,
            };
            let loading = if O::Run::IS_TASK { Ok(loading) } else { Box::pin(loading.in_foreground::<S>()).await };
            let loading = match loading {
                Ok(loading) => loading,
                Err(value) => return value,
            };
            // Called no earlier, because a closure may read data before it returns its future.
            match O::Run::task(loading, shape, &policy, load()) {
                Ok(task) => task.await,
                Err((mut loading, body)) => {
                    let returned = loading.run(&policy, body).await;
                    loading.settle(shape, &policy, returned)
                }
            }
        }
    }

    /// The value, if there is one that the function, or [`get_or_load`](Self::get_or_load), would return now. A stored
    /// `None` is a `None` here as well, and so is a stored error. The statistics count this as a call: a hit if it finds
    /// one of the three, otherwise unserved and a miss by its reason.
    ///
    /// It loads nothing, and waits for nothing but the store. Of an annotated function it does not ask the near cache;
    /// by hand it does, if the entry is [`near`](Entry::near).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cached_core::CacheError> {
    /// let cache = cached_core::Cache::memory();
    /// let entry = cache.entry("answer");
    /// entry.set(&42_u64).await?;
    /// assert_eq!(entry.get().await, Some(42_u64));
    /// assert_eq!(entry.get::<String>().await, None, "there is none of this type");
    /// # Ok(())
    /// # }
    /// ```
    pub fn get<V>(&self) -> Pin<Box<dyn Future<Output = Option<V>> + Send>>
    where
        T: Holds<V>,
        V: CacheValue,
        O: Origin<Keep: Keep<V>>,
    {
        let target = self.origin.target::<V>();
        Box::pin(async move {
            match target {
                Ok(target) => target.get::<V, O::Keep>(O::IS_NEAR).await,
                Err(NoTarget { site, argument }) => {
                    site.cannot_ask(argument);
                    None
                }
            }
        })
    }

    /// The value as it stands, also one that is past its end and kept for `stale_if_error` only, with its age and the
    /// time left to it. For tools and tests: this is no call. It is not counted, begins no refresh, and asks no near
    /// cache. A stored error is no value, so it is a `None`.
    ///
    /// ```
    /// # #[cached_core::redis_cached(key = "squared-once:<n>", ttl = "1m")]
    /// # async fn square(n: u64) -> u64 { n * n }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cached_core::EntryError> {
    /// # let cache = cached_core::Cache::memory();
    /// # cache.install();
    /// square(4).await;
    /// cache.flush().await;
    /// if let Some(peek) = cached_core::entry!(square(4))?.peek().await {
    ///     println!("{:?}, for {:?} more", peek.value, peek.left);
    /// }
    /// assert_eq!(cache.stats().site("square").unwrap().calls(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn peek<V>(&self) -> Pin<Box<dyn Future<Output = Option<Peek<V>>> + Send>>
    where
        T: Holds<V>,
        V: CacheValue,
    {
        let (target, policy) = (self.origin.target::<V>(), T::policy(&self.policy));
        Box::pin(async move {
            let standing = target.ok()?.peek().await?;
            let site = &standing.site;
            let value = call::item::<V>(site, &standing.entry).ok()?;
            let lifetime = match &value {
                Some(value) => policy.ttl_for(value, site).ok(),
                None => site.none_lifetime(),
            };
            Some(Peek {
                value,
                age: lifetime.and_then(|lifetime| standing.age(lifetime, site.jitter())),
                left: standing.left(),
                is_past_end: standing.entry.age.is_over(),
            })
        })
    }
}
