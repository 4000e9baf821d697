//! The handle of an engine: the cache as users hold it.

use super::Engine;
use std::fmt;
use std::sync::Arc;

/// A cache: where values are kept and how. Clones share everything.
///
/// Annotated functions use the [`install`](Self::install)ed one, or that of the [`scope`](Self::scope) around them;
/// [`entry`](Self::entry) is for values without an attribute.
///
/// # When Redis is down
/// Loads run without it: [`Entry::get_or_load`](crate::Entry::get_or_load) loads after at most the budget, and at once when
/// the breaker is open. Verbs that store or remove say what happened.
///
/// ```
/// use cached_core::Cache;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let cache = Cache::memory();
/// cache.entry("user:42").set(&String::from("Ada")).await.unwrap();
/// assert_eq!(cache.entry("user:42").get::<String>().await.as_deref(), Some("Ada"));
/// cache.entry("user:42").remove().await.unwrap();
/// assert_eq!(cache.entry("user:42").get::<String>().await, None);
/// # }
/// ```
#[derive(Clone)]
pub struct Cache {
    pub(crate) engine: Arc<Engine>,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("store", &self.engine.store).field("breaker", &self.engine.breaker()).finish()
    }
}

impl Cache {
    pub(crate) fn of(engine: Engine) -> Self {
        Self { engine: Arc::new(engine) }
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub(crate) fn into_engine(self) -> Arc<Engine> {
        self.engine
    }
}
