//! `get_or_set` for many keys at once.

use super::{GET_OR_SET, Options};
use crate::engine::batch::{batch, missing, run, settle};
use crate::engine::call::Call;
use crate::engine::handle::Cache;
use crate::engine::policy::Policy;
use crate::hand;
use crate::many::{InResult, Passage};
use crate::near::keep::Unkept;
use crate::outcome::CacheValue;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

impl Cache {
    /// Like [`get_or_set`](Self::get_or_set) for many keys, as `batch = ids` of `#[redis_cached]` does it. All keys are
    /// read at once. `load` is called with the missing keys, and again for keys that other callers were loading without
    /// success.
    ///
    /// A key that `load` does not return is stored as absent for the time of the class `short`, as by
    /// [`get_or_set_option`](Self::get_or_set_option). These three methods share their entries.
    ///
    /// If `load` returns values under other keys, these are returned but not stored. Then no key is stored as absent
    /// either, because one of the other keys may be the same row in another spelling. Callers that wait for such a key
    /// load it themselves; functions with `batch = ids` share that load.
    ///
    /// # Errors
    /// Only those of `load`.
    ///
    /// ```
    /// use cached_core::{Cache, Options};
    /// use std::collections::HashMap;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// cache.get_or_set("word:one", Options::new(), || async { Ok::<u64, ()>(3) }).await.unwrap();
    /// cache.settled().await;
    ///
    /// let load = |missing: Vec<&'static str>| async move {
    ///     assert_eq!(missing, ["word:three"]);
    ///     Ok::<_, ()>(HashMap::from([("word:three", 5_u64)]))
    /// };
    /// let found = cache.get_or_set_many(&["word:one", "word:three"], Options::new(), load).await.unwrap();
    /// assert_eq!(found, HashMap::from([("word:one", 3), ("word:three", 5)]));
    /// # }
    /// ```
    pub async fn get_or_set_many<K, T, E, F, Fut>(
        &self,
        keys: &[K],
        options: Options,
        mut load: F,
    ) -> Result<HashMap<K, T>, E>
    where
        K: AsRef<str> + Clone + Eq + Hash,
        T: CacheValue,
        F: FnMut(Vec<K>) -> Fut,
        Fut: Future<Output = Result<HashMap<K, T>, E>>,
    {
        let tags = options.depends_on.tag_registers(&self.engine.settings.prefix);
        let call = |cache: &Self, key: &K| {
            let engine = &cache.engine;
            hand::uses(hand::Kind::Key, key.as_ref());
            let key = engine.settings.prefix.literal(key.as_ref());
            let call = Call::of(Arc::clone(engine), engine.site(&GET_OR_SET), Ok(key), "");
            tags.iter().fold(call, |call, tag| call.tagged(|_| tag.clone()))
        };
        let policy = match options.ttl {
            Some(ttl) => Policy::default().ttl(ttl),
            None => Policy::default(),
        };
        let shape = InResult::<HashMap<K, T>, E, K>::default();
        let mut batch = batch(&GET_OR_SET, Some(self), shape, Unkept, Passage::NONE, keys, call);
        loop {
            let keys = match missing(&mut batch).await {
                Ok(found) => return found,
                Err(keys) => keys,
            };
            // Called no earlier, because a closure may read data before it returns its future.
            let loading = load(keys);
            let returned = run(&mut batch, &policy, loading).await;
            if let Some(failed) = settle(&mut batch, &policy, returned) {
                return failed;
            }
        }
    }
}
