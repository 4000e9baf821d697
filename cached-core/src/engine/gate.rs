//! The only way to the engine's store.

use crate::envelope::Head;
use crate::error::StoreError;
use crate::store::{GetWatched, Store, StoreFuture, Tag, Watched, Watcher};
use std::fmt;
use std::future::ready;
use std::sync::{Arc, Weak};

/// Gives out the engine's store: to a [budget](super::budget), or to work [off the path](Self::off_path) of every call.
pub(crate) struct Gate(Arc<dyn Store>);

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Gate {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    pub(crate) fn name(&self) -> &'static str {
        self.0.name()
    }

    /// Tells the watcher of changes from now on; `false` if the store tells nobody.
    pub(super) fn watch(&self, watcher: Weak<dyn Watcher>) -> bool {
        let watch = self.0.capabilities().watch();
        if let Some(watch) = watch {
            watch.watch(watcher);
        }
        watch.is_some()
    }

    /// The store for the steps of a call, which a budget bounds.
    pub(super) fn on_path(&self) -> &dyn Store {
        &*self.0
    }

    /// The store for work that no caller waits for and that bounds its own steps.
    pub(super) fn off_path(&self) -> &Arc<dyn Store> {
        &self.0
    }
}

/// Reads registers whose changes the store tells of; `None` if it tells of none.
pub(super) fn get_watched<'a>(store: &'a dyn Store, request: GetWatched<'a>) -> StoreFuture<'a, Option<Watched>> {
    match store.capabilities().watch() {
        Some(watch) => watch.get_watched(request),
        None => Box::pin(ready(Ok(None))),
    }
}

/// The heads of all tags; `None` if one of them is being written.
pub(super) async fn tag(store: &dyn Store, request: Tag<'_>) -> Result<Option<Vec<Head>>, StoreError> {
    Ok(store.tag(request).await?.whole()?.into_iter().collect())
}
