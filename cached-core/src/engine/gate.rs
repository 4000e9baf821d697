//! The only way to the engine's store.

use crate::envelope::Head;
use crate::error::{FaultKind, StoreError};
use crate::store::{
    Begin, Each, End, Ended, GetAll, GetWatched, Key, Life, RemoveAll, Store, StoreFuture, TagAll, Watched, Watcher,
};
use bytes::Bytes;
use futures_util::FutureExt;
use std::fmt;
use std::future::ready;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Closes the connections of a store.
pub(crate) type Close = Box<dyn Fn() + Send + Sync>;

/// Gives out the engine's store: to a [budget](super::budget), or to work [off the path](Self::off_path) of every call.
pub(crate) struct Gate {
    store: Arc<dyn Store>,
    /// `None` if the store belongs to the user, or has no connections.
    close: Option<Close>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

impl Gate {
    pub(super) fn new(store: Arc<dyn Store>, close: Option<Close>) -> Self {
        Self { store, close }
    }

    /// Closes the connections, if the cache has opened them. The next step on the store opens another.
    pub(super) fn close(&self) {
        if let Some(close) = &self.close {
            close();
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.store.name()
    }

    /// Tells the watcher of changes from now on; `false` if the store tells nobody.
    pub(super) fn watch(&self, watcher: Weak<dyn Watcher>) -> bool {
        let watch = self.store.capabilities().watch();
        if let Some(watch) = watch {
            watch.watch(watcher);
        }
        watch.is_some()
    }

    /// The store for the steps of a call, which a budget bounds.
    pub(super) fn on_path(&self) -> &dyn Store {
        &*self.store
    }

    /// The store for work that no caller waits for and that bounds its own steps.
    pub(super) fn off_path(&self) -> &Arc<dyn Store> {
        &self.store
    }
}

/// Reads registers whose changes the store tells of; `None` if it tells of none.
pub(super) fn get_watched<'a>(store: &'a dyn Store, request: GetWatched<'a>) -> StoreFuture<'a, Option<Watched>> {
    match store.capabilities().watch() {
        Some(watch) => Box::pin(async move {
            let count = request.keys.len();
            let watched = watch.get_watched(request).await?;
            // Fewer registers than keys are as good as none.
            Ok(watched.filter(|watched| watched.registers.len() == count))
        }),
        None => Box::pin(ready(Ok(None))),
    }
}

/// How long a register lives; `None` if there is none, or the store does not say.
pub(super) fn life<'a>(store: &'a dyn Store, key: &'a Key, within: Duration) -> StoreFuture<'a, Option<Duration>> {
    match store.capabilities().lives() {
        Some(lives) => lives.life(Life::new(key, within)),
        None => Box::pin(ready(Ok(None))),
    }
}

// A step over several keys that has failed for one of them has failed. The keys of one step depend on each other: an
// entry on its tags, a tag's register on that of all tags. What is done for the other keys is done again, which is safe.

// They are no `async fn`, whose future would hold the request beside the step that was made of it.

/// HIT with tags: the register of each key.
pub(super) fn get_all<'a>(store: &'a dyn Store, request: GetAll<'a>) -> impl Answering<Vec<Option<Bytes>>> + use<'a> {
    let count = request.keys.len();
    store.get_all(request).map(move |answers| whole(answers?, count))
}

/// INVALIDATE of several registers.
pub(super) fn remove_all<'a>(store: &'a dyn Store, request: RemoveAll<'a>) -> impl Answering<()> + use<'a> {
    let count = request.keys.len();
    store.remove_all(request).map(move |answers| whole(answers?, count).map(drop))
}

/// TAG: the heads of the tags; `None` if a write is in progress on one of them.
pub(super) fn tag<'a>(store: &'a dyn Store, request: TagAll<'a>) -> impl Answering<Option<Vec<Head>>> + use<'a> {
    let count = request.tags.len();
    store.tag(request).map(move |answers| Ok(whole(answers?, count)?.into_iter().collect()))
}

/// BEGIN.
pub(super) fn begin<'a>(store: &'a dyn Store, request: Begin<'a>) -> impl Answering<()> + use<'a> {
    let count = request.keys.len();
    store.begin(request).map(move |answers| whole(answers?, count).map(drop))
}

/// END. Returns whether the values were put.
pub(super) fn end<'a>(store: &'a dyn Store, request: End<'a>) -> impl Answering<bool> + use<'a> {
    let count = request.written.len();
    store.end(request).map(move |ended| {
        let Ended { put, keys, .. } = ended?;
        whole(keys, count).map(|_| put)
    })
}

/// A step that answers `T`.
pub(super) trait Answering<T>: Future<Output = Result<T, StoreError>> + Send {}

impl<T, F: Future<Output = Result<T, StoreError>> + Send> Answering<T> for F {}

/// The answers for `count` keys, or the fault of one of them: an outage if there is one, because the breaker has to
/// learn of it.
fn whole<T>(answers: Each<T>, count: usize) -> Result<Vec<T>, StoreError> {
    if answers.len() != count {
        let message = format!("the store has given {} answers for {count} keys", answers.len());
        return Err(StoreError::new(FaultKind::Refused, message));
    }
    let outage = answers.faults().find(|(_, error)| error.kind.is_outage()).map(|(_, error)| error.clone());
    outage.map_or_else(|| answers.whole(), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: FaultKind) -> Result<u8, StoreError> {
        Err(StoreError::new(kind, "no"))
    }

    #[test]
    fn a_step_has_failed_if_it_failed_for_one_key() {
        assert_eq!(whole([Ok(1), Ok(2)].into_iter().collect(), 2).unwrap(), [1, 2]);
        let refused = whole([Ok(1), fault(FaultKind::Refused)].into_iter().collect(), 2);
        assert_eq!(refused.unwrap_err().kind, FaultKind::Refused);
        let answers = [fault(FaultKind::Refused), Ok(1), fault(FaultKind::Timeout)];
        assert_eq!(whole(answers.into_iter().collect(), 3).unwrap_err().kind, FaultKind::Timeout);
    }

    #[test]
    fn a_store_that_answers_for_too_few_keys_is_not_believed() {
        for answers in [vec![], vec![1], vec![1, 2, 3]] {
            assert_eq!(whole(Each::from(answers), 2).unwrap_err().kind, FaultKind::Refused);
        }
    }
}
