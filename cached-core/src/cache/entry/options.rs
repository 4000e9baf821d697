//! The options of entries by hand: those of `#[redis_cached]` as methods, except for `error_if` and `error_ttl`.

use super::Entry;
use super::origin::{AsTask, ByHand, Holds};
use crate::codec::Codec;
use crate::engine::policy::Policy;
use crate::event::CacheEvent;
use crate::invalidation::{Invalidation, Tag};
use crate::near::keep::Cloned;
use crate::outcome::CacheValue;
use std::sync::Arc;
use std::time::Duration;

/// The options that one entry and many have in common.
macro_rules! common_options {
    ($name:ident [$($parameter:tt)*]) => {
        impl<$($parameter)* T, K, R> $name<$($parameter)* T, ByHand<K, R>> {
            /// The name in the [statistics](crate::Cache::stats) and in the log; `"Cache::entry"` by default. Entries
            /// with the same name count together.
            ///
            /// ```
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() {
            /// let cache = cached_core::Cache::memory();
            /// cache.entry("user:42").named("user").get::<String>().await;
            /// assert_eq!(cache.stats().site("user").unwrap().unserved, 1);
            /// # }
            /// ```
            pub fn named(self, name: &'static str) -> Self {
                self.option(|options| options.name = Some(name))
            }

            /// A value's time to live, at most 365 days; longer ones are cut. Jitter only shortens it. With zero, a value
            /// is not stored. By default the class `medium`.
            ///
            /// ```
            /// # let cache = cached_core::Cache::memory();
            /// let entry = cache.entry("user:42").ttl(std::time::Duration::from_secs(90));
            /// ```
            pub fn ttl(self, ttl: Duration) -> Self {
                self.policy(|policy| policy.ttl(ttl))
            }

            /// A value's time to live by the name of its class: `short`, `medium`, `long`, or one that the builder
            /// [was given](crate::CacheBuilder::ttl_class). Jitter shortens or lengthens it. Of this and
            /// [`ttl`](Self::ttl), the last one holds. With a name that is no class, values live as those of `medium`,
            /// and the log says so.
            ///
            /// ```
            /// # let cache = cached_core::Cache::memory();
            /// let entry = cache.entry("user:42").ttl_class("long");
            /// ```
            pub fn ttl_class(self, class: &'static str) -> Self {
                self.option(|options| options.class = Some(class)).policy(crate::engine::policy::Policy::without_ttl)
            }

            /// The time to live that the value tells, before any other. Jitter only shortens it.
            ///
            /// ```
            /// use std::time::Duration;
            ///
            /// # let cache = cached_core::Cache::memory();
            /// let entry = cache.entry("token").ttl_of(|expires_in: &u64| Duration::from_secs(*expires_in));
            /// ```
            pub fn ttl_of<V>(self, ttl_of: impl Fn(&V) -> Duration + Send + Sync + 'static) -> $name<$($parameter)* V, ByHand<K, R>>
            where
                T: Holds<V>,
                V: CacheValue,
            {
                self.typed().policy(|policy| policy.ttl_by(ttl_of))
            }

            /// How much times to live are spread, so that values stored together do not end together: 0.1 is ±10 %. From
            /// 0.0 to below 1.0; the [builder's](crate::CacheBuilder::jitter) by default.
            ///
            /// ```
            /// # let cache = cached_core::Cache::memory();
            /// let entry = cache.entry("user:42").jitter(0.2);
            /// ```
            pub fn jitter(self, fraction: f64) -> Self {
                self.option(|options| options.jitter = Some(fraction.to_bits()))
            }

            /// The time to live of a `None`; zero: it is not stored. By default the class `short`.
            ///
            /// ```
            /// # let cache = cached_core::Cache::memory();
            /// let entry = cache.entry("user:42").none_ttl(std::time::Duration::from_secs(5));
            /// ```
            pub fn none_ttl(self, ttl: Duration) -> Self {
                self.option(|options| options.none_ttl = Some(ttl))
            }

            /// Stores only values for which this is true. All others are returned, but not stored.
            ///
            /// ```
            /// # let cache = cached_core::Cache::memory();
            /// let entry = cache.entry("newest").cache_if(|rows: &Vec<u64>| !rows.is_empty());
            /// ```
            pub fn cache_if<V>(self, cache_if: impl Fn(&V) -> bool + Send + Sync + 'static) -> $name<$($parameter)* V, ByHand<K, R>>
            where
                T: Holds<V>,
                V: CacheValue,
            {
                self.typed().policy(|policy| policy.cache_by(cache_if))
            }

            /// Gives the entry a tag, by which [`Invalidation::tag`] invalidates it. All callers of one key must give it
            /// the same tags, at most 64 with its events.
            ///
            /// ```
            /// # let cache = cached_core::Cache::memory();
            /// let entry = cache.entry("user:42").tag("tenant:7").tag("users");
            /// ```
            pub fn tag(self, tag: impl Into<Tag>) -> Self {
                self.dependency(|depends_on| depends_on.tag(tag))
            }

            /// Gives the entry the tags that the value names, beside the others.
            ///
            /// ```
            /// # let cache = cached_core::Cache::memory();
            /// let authors = |ids: &Vec<u64>| ids.iter().map(|id| format!("author:{id}")).collect::<Vec<_>>();
            /// let entry = cache.entry("newest").tags_of(authors);
            /// ```
            pub fn tags_of<V, I>(self, tags_of: impl Fn(&V) -> I + Send + Sync + 'static) -> $name<$($parameter)* V, ByHand<K, R>>
            where
                T: Holds<V>,
                V: CacheValue,
                I: IntoIterator<Item: Into<Tag>>,
            {
                self.option(|options| options.names_tags = true).typed().policy(|policy| policy.tags_by(tags_of))
            }

            /// Makes the entry depend on an event, so [`Cache::emit`](crate::Cache::emit) and writes that cause it
            /// invalidate it. All callers of one key must name the same events.
            ///
            /// ```
            /// # #[derive(cached_core::CacheEvent)] struct UserUpdated { id: u64 }
            /// # let cache = cached_core::Cache::memory();
            /// let entry = cache.entry("user:42").invalidate_on(&UserUpdated { id: 42 });
            /// ```
            pub fn invalidate_on<E: CacheEvent + ?Sized>(self, event: &E) -> Self {
                self.dependency(|depends_on| depends_on.event(event))
            }

            /// The version of the value's type, to be raised when its meaning changes but not its shape.
            ///
            /// ```
            /// # let cache = cached_core::Cache::memory();
            /// let entry = cache.entry("price:7").version(2);
            /// ```
            pub fn version(self, version: u32) -> Self {
                self.option(|options| options.version = Some(version))
            }

            /// The format of the stored value; the [builder's](crate::CacheBuilder::codec) by default. With
            /// [`Codec::Bytes`], values that are no bytes are not stored, and the log says so.
            ///
            /// ```
            /// # let cache = cached_core::Cache::memory();
            /// let entry = cache.entry("thumbnail:42").codec(cached_core::Codec::Bytes);
            /// ```
            pub fn codec(self, codec: Codec) -> Self {
                self.option(|options| options.codec = Some(codec))
            }

            /// Keeps decoded values in this process, each for so long at most: `local` of the attribute. The values must
            /// be `Clone + Send + Sync`; an `Arc` is shared. The builder's [`near_ttl`](crate::CacheBuilder::near_ttl) does
            /// not apply to entries by hand.
            ///
            /// ```
            /// use std::convert::Infallible;
            /// use std::time::Duration;
            ///
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> Result<(), Infallible> {
            /// # let cache = cached_core::Cache::memory();
            /// let answer = cache.entry("answer").near(Duration::from_secs(30));
            /// assert_eq!(answer.get_or_load(|| async { Ok::<u64, Infallible>(42) }).await?, 42);
            /// # Ok(())
            /// # }
            /// ```
            pub fn near(self, time: Duration) -> $name<$($parameter)* T, ByHand<Cloned, R>> {
                self.option(|options| options.near = Some(time)).retyped()
            }

            /// Without contact to Redis, the near cache still serves what it keeps, which may be old by then: `on_gap =
            /// "serve"` of the attribute.
            ///
            /// ```
            /// # let cache = cached_core::Cache::memory();
            /// let entry = cache.entry("rates").near(std::time::Duration::from_secs(30)).near_through_gaps();
            /// ```
            pub fn near_through_gaps(self) -> Self {
                self.option(|options| options.serves_in_gap = true)
            }

            fn option(mut self, set: impl FnOnce(&mut crate::site::by_hand::HandOptions)) -> Self {
                self.origin.option(set);
                self
            }

            fn dependency(mut self, add: impl FnOnce(Invalidation) -> Invalidation) -> Self {
                self.origin.dependency(add);
                self
            }
        }
    };
}
pub(super) use common_options;

common_options!(Entry []);

impl<T, K, R> Entry<T, ByHand<K, R>> {
    /// Serves a value for so long past its end, while one caller loads a new one.
    ///
    /// ```
    /// # let cache = cached_core::Cache::memory();
    /// let entry = cache.entry("user:42").stale_while_revalidate(std::time::Duration::from_secs(300));
    /// ```
    pub fn stale_while_revalidate(self, window: Duration) -> Self {
        self.option(|options| options.revalidate = Some(window))
    }

    /// Serves a value for so long past its end if the load fails. Must be longer than
    /// [`stale_while_revalidate`](Self::stale_while_revalidate).
    ///
    /// ```
    /// # let cache = cached_core::Cache::memory();
    /// let entry = cache.entry("rates").stale_if_error(std::time::Duration::from_secs(3600));
    /// ```
    pub fn stale_if_error(self, window: Duration) -> Self {
        self.option(|options| options.if_error = Some(window))
    }

    /// Refreshes a value shortly before its end, the earlier the longer its load takes (`XFetch`). `beta` is above zero:
    /// 1.0 is usual, more is earlier.
    ///
    /// ```
    /// # let cache = cached_core::Cache::memory();
    /// let entry = cache.entry("user:42").refresh_ahead(1.0);
    /// ```
    pub fn refresh_ahead(self, beta: f64) -> Self {
        self.option(|options| options.ahead = Some(beta.to_bits()))
    }

    /// The call that refreshes a value is served the old one as well: `refresh = "background"` of the attribute. It needs
    /// [`stale_while_revalidate`](Self::stale_while_revalidate) or [`refresh_ahead`](Self::refresh_ahead). The load is a
    /// task then, so it must be `Send + 'static`.
    ///
    /// ```
    /// use std::convert::Infallible;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Infallible> {
    /// # let cache = cached_core::Cache::memory();
    /// let answer = cache.entry("answer").refresh_ahead(1.0).refresh_in_background();
    /// assert_eq!(answer.get_or_load(|| async { Ok::<u64, Infallible>(42) }).await?, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub fn refresh_in_background(self) -> Entry<T, ByHand<K, AsTask>> {
        self.option(|options| options.background = true).retyped()
    }

    /// Loads run as tasks: a load goes on when its caller goes away. It must be `Send + 'static` then.
    ///
    /// ```
    /// use std::convert::Infallible;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Infallible> {
    /// # let cache = cached_core::Cache::memory();
    /// let answer = cache.entry("answer").spawn();
    /// assert_eq!(answer.get_or_load(|| async { Ok::<u64, Infallible>(42) }).await?, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub fn spawn(self) -> Entry<T, ByHand<K, AsTask>> {
        self.option(|options| options.spawn = true).retyped()
    }

    /// Serves the value at hand if a load takes longer; the load goes on. It needs [`spawn`](Self::spawn), and
    /// [`stale_while_revalidate`](Self::stale_while_revalidate) or [`stale_if_error`](Self::stale_if_error).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # let cache = cached_core::Cache::memory();
    /// let entry = cache.entry("rates").stale_if_error(Duration::from_secs(3600)).spawn();
    /// let entry = entry.load_timeout(Duration::from_millis(200));
    /// ```
    pub fn load_timeout(self, patience: Duration) -> Self {
        self.option(|options| options.load_timeout = Some(patience))
    }

    fn policy(self, change: impl FnOnce(Policy<T>) -> Policy<T>) -> Self {
        Self { policy: Arc::new(change(Arc::unwrap_or_clone(self.policy))), ..self }
    }

    fn typed<V>(self) -> Entry<V, ByHand<K, R>>
    where
        T: Holds<V>,
    {
        Entry { policy: T::policy(&self.policy), origin: self.origin }
    }

    fn retyped<K2, R2>(self) -> Entry<T, ByHand<K2, R2>> {
        Entry { origin: self.origin.retyped(), policy: self.policy }
    }
}
