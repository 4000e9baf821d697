//! The handle of an engine: the cache as users hold it.

use super::Engine;
use std::fmt;
use std::sync::Arc;

/// A cache: where values are kept and how. Clones share everything.
///
/// Annotated functions use the [`install`](Self::install)ed one, or that of the [`scope`](Self::scope) around them;
/// [`get_or_set`](Self::get_or_set) and the like are for calls without an attribute.
///
/// # When Redis is down
/// [`get`](Self::get) misses and [`get_or_set`](Self::get_or_set) loads, each after at most the budget, and at once
/// when the breaker is open. [`set`](Self::set) and [`delete`](Self::delete) say what happened.
///
/// ```
/// use cached_core::{Cache, Options};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let cache = Cache::memory();
/// cache.set("user:42", &String::from("Ada"), Options::new()).await.unwrap();
/// assert_eq!(cache.get::<String>("user:42").await.as_deref(), Some("Ada"));
/// cache.delete("user:42").await.unwrap();
/// assert_eq!(cache.get::<String>("user:42").await, None);
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
