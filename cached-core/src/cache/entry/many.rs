//! The entries of many ids, by hand: read together, and the missing ones loaded together, as `batch = ids` of
//! `#[redis_cached]` does it.

use super::options::common_options;
use super::origin::{ByHand, Holds, Untyped};
use crate::codec::Codec;
use crate::engine::batch::{batch, missing, run, settle};
use crate::engine::handle::Cache;
use crate::engine::policy::Policy;
use crate::event::CacheEvent;
use crate::invalidation::{Invalidation, Tag};
use crate::many::{InResult, Passage};
use crate::near::keep::{Cloned, Keep};
use crate::outcome::CacheValue;
use crate::site::by_hand::ENTRY;
use std::any::type_name;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

/// The entries of many ids: [`Cache::entries`]. They have the same options, except for those that refresh values, since
/// each would be refreshed alone.
#[must_use = "entries do nothing until `get_or_load` is called"]
pub struct Entries<'a, Id, T, O = ByHand> {
    ids: &'a [Id],
    key: Arc<KeyOf<'a, Id>>,
    /// The tags and events of single ids.
    each: Vec<Each<'a, Id>>,
    origin: O,
    policy: Policy<T>,
}

type KeyOf<'a, Id> = dyn Fn(&Id) -> String + Send + Sync + 'a;
type Each<'a, Id> = Arc<dyn Fn(Invalidation, &Id) -> Invalidation + Send + Sync + 'a>;

impl<Id: fmt::Debug, T, O> fmt::Debug for Entries<'_, Id, T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entries").field("ids", &self.ids).field("holds", &type_name::<T>()).finish_non_exhaustive()
    }
}

impl Cache {
    /// The entries of many ids, of which `key` makes the keys. An id and a key are as those of [`entry`](Self::entry).
    ///
    /// ```
    /// use cached_core::Cache;
    /// use std::collections::HashMap;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), std::io::Error> {
    /// let cache = Cache::memory();
    /// cache.entry("user:1").get_or_load(|| async { Ok::<_, std::io::Error>(String::from("Ada")) }).await?;
    /// cache.flush().await;
    ///
    /// let load = |missing: Vec<u64>| async move {
    ///     assert_eq!(missing, [2]);
    ///     Ok::<_, std::io::Error>(HashMap::from([(2, String::from("Grace"))]))
    /// };
    /// let users = cache.entries(&[1, 2], |id| format!("user:{id}")).tag("users").get_or_load(load).await?;
    /// assert_eq!(users[&1], "Ada");
    /// assert_eq!(users[&2], "Grace");
    /// # Ok(())
    /// # }
    /// ```
    pub fn entries<'a, Id>(
        &self,
        ids: &'a [Id],
        key: impl Fn(&Id) -> String + Send + Sync + 'a,
    ) -> Entries<'a, Id, Untyped> {
        let origin = ByHand::of(self, "");
        Entries { ids, key: Arc::new(key), each: Vec::new(), origin, policy: Policy::default() }
    }
}

common_options!(Entries ['a, Id,]);

impl<'a, Id, T, K, R> Entries<'a, Id, T, ByHand<K, R>> {
    /// Gives the entry of each id a tag of its own.
    ///
    /// ```
    /// # let cache = cached_core::Cache::memory();
    /// let entries = cache.entries(&[1, 2], |id| format!("user:{id}")).tag_each(|id| format!("friends-of:{id}"));
    /// ```
    pub fn tag_each<G: Into<Tag>>(mut self, tag: impl Fn(&Id) -> G + Send + Sync + 'a) -> Self {
        self.each.push(Arc::new(move |depends_on, id| depends_on.tag(tag(id))));
        self
    }

    /// Makes the entry of each id depend on an event of its own.
    ///
    /// ```
    /// # #[derive(cached_core::CacheEvent)] struct UserUpdated { id: u64 }
    /// # let cache = cached_core::Cache::memory();
    /// let entries = cache.entries(&[1, 2], |id| format!("user:{id}"));
    /// let entries = entries.invalidate_on_each(|id| UserUpdated { id: *id });
    /// ```
    pub fn invalidate_on_each<E: CacheEvent>(mut self, event: impl Fn(&Id) -> E + Send + Sync + 'a) -> Self {
        self.each.push(Arc::new(move |depends_on, id| depends_on.event(&event(id))));
        self
    }

    /// The values of all ids that have one. All keys are read at once. `load` is called with the missing ids, and again
    /// for ids that other callers were loading without success.
    ///
    /// An id that `load` does not return is stored as absent for the time of `none_ttl`, as by
    /// [`Entry::get_or_load_option`](crate::Entry::get_or_load_option), with which this shares its entries.
    ///
    /// If `load` returns values of other ids, these are returned but not stored. Then no id is stored as absent either,
    /// because one of the others may be the same row in another spelling. Callers that wait for such an id load it
    /// themselves; functions with `batch = ids` share that load.
    ///
    /// # Errors
    /// Only those of `load`.
    ///
    /// ```
    /// use cached_core::Cache;
    /// use std::collections::HashMap;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), std::io::Error> {
    /// let words = ["one", "three"];
    /// let load = |missing: Vec<&'static str>| async move {
    ///     Ok::<_, std::io::Error>(missing.into_iter().map(|word| (word, word.len())).collect())
    /// };
    /// let lengths = Cache::memory().entries(&words, |word| format!("word:{word}")).get_or_load(load).await?;
    /// assert_eq!(lengths, HashMap::from([("one", 3), ("three", 5)]));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_or_load<V, E, F, Fut>(self, mut load: F) -> Result<HashMap<Id, V>, E>
    where
        Id: Clone + Eq + Hash,
        T: Holds<V>,
        V: CacheValue,
        K: Keep<V> + Default,
        F: FnMut(Vec<Id>) -> Fut,
        Fut: Future<Output = Result<HashMap<Id, V>, E>>,
    {
        let Self { ids, key, each, origin, policy } = self;
        let policy = T::policy(&Arc::new(policy));
        let hand = origin.hand;
        let cache = Cache { engine: Arc::clone(&hand.engine) };
        let call = |_: &Cache, id: &Id| {
            let mut hand = hand.clone();
            hand.depends_on = each.iter().fold(hand.depends_on, |depends_on, add| add(depends_on, id));
            hand.call(hand.engine.settings.prefix.literal(&key(id)))
        };
        let shape = InResult::<HashMap<Id, V>, E, Id>::default();
        let mut batch = batch(&ENTRY, Some(&cache), shape, K::default(), Passage::NONE, ids, call);
        loop {
            let ids = match missing(&mut batch).await {
                Ok(found) => return found,
                Err(ids) => ids,
            };
            // Called no earlier, because a closure may read data before it returns its future.
            let loading = load(ids);
            let returned = run(&mut batch, &policy, loading).await;
            if let Some(failed) = settle(&mut batch, &policy, returned) {
                return failed;
            }
        }
    }

    fn policy(self, change: impl FnOnce(Policy<T>) -> Policy<T>) -> Self {
        Self { policy: change(self.policy), ..self }
    }

    fn typed<V>(self) -> Entries<'a, Id, V, ByHand<K, R>>
    where
        T: Holds<V>,
    {
        let Self { ids, key, each, origin, policy } = self;
        Entries { ids, key, each, origin, policy: Arc::unwrap_or_clone(T::policy(&Arc::new(policy))) }
    }

    fn retyped<K2, R2>(self) -> Entries<'a, Id, T, ByHand<K2, R2>> {
        let Self { ids, key, each, origin, policy } = self;
        Entries { ids, key, each, origin: origin.retyped(), policy }
    }
}
