//! The ability to tell of changes, which the near cache needs.

use super::{GetWatched, StoreFuture, Watched};
use std::fmt;
use std::sync::Weak;
use std::time::{Duration, Instant};

/// An optional ability of a store: it tells [`Watcher`]s of changes.
///
/// A store that has it says so in its [`capabilities`](super::Store::capabilities). Without it there is no near cache.
///
/// ```
/// use cached_core::Clock;
/// use cached_core::store::{MemoryStore, Store};
///
/// let store = MemoryStore::new(1 << 20, Clock::system());
/// assert!(store.capabilities().watch().is_some());
/// ```
pub trait Watch: fmt::Debug + Send + Sync {
    /// Tells `watcher` from now on what happens to the registers that [`get_watched`](Self::get_watched) reads, until
    /// it is dropped.
    fn watch(&self, watcher: Weak<dyn Watcher>);

    /// Reads as [`get_all`](super::Store::get_all) does, and tells the watchers of every change of these registers from
    /// then on. Also answers how long the first [`timed`](GetWatched::timed) registers live. Answers `None` if there is
    /// no watcher, or if changes cannot be told at this moment.
    ///
    /// # Errors
    /// [`FaultKind::WrongType`](crate::FaultKind::WrongType) if something else stands under one of the timed keys; any
    /// other fault of the store.
    fn get_watched<'a>(&'a self, request: GetWatched<'a>) -> StoreFuture<'a, Option<Watched>>;
}

/// Hears from a store what has happened to the registers that [`Watch::get_watched`] has read.
///
/// The store calls these methods from the thread that learns of the change, so none of them may wait.
///
/// ```
/// use cached_core::Clock;
/// use cached_core::store::{GetWatched, Key, MemoryStore, Put, Store, Watcher};
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use std::sync::{Arc, Weak};
/// use std::time::{Duration, Instant};
///
/// #[derive(Debug, Default)]
/// struct Changes(AtomicU64);
///
/// impl Watcher for Changes {
///     fn changed(&self, _: &str) {
///         self.0.fetch_add(1, Ordering::SeqCst);
///     }
///     fn all_changed(&self) {}
///     fn lost(&self) {}
///     fn regained(&self) {}
///     fn confirmed(&self, _: Instant) {}
///     fn heartbeat(&self) -> Duration {
///         Duration::from_secs(2)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cached_core::StoreError> {
/// let (store, changes) = (MemoryStore::new(1 << 20, Clock::system()), Arc::new(Changes::default()));
/// let watcher: Weak<Changes> = Arc::downgrade(&changes);
/// let watch = store.capabilities().watch().expect("a memory store tells of changes");
/// watch.watch(watcher);
/// let (key, within) = (Key::from("key"), Duration::from_millis(100));
/// watch.get_watched(GetWatched::new(&[key.clone()], within)).await?;
/// store.put(Put::new(&key, "bytes".into(), Duration::from_secs(60), within)).await?;
/// assert_eq!(changes.0.load(Ordering::SeqCst), 1);
/// # Ok(())
/// # }
/// ```
pub trait Watcher: fmt::Debug + Send + Sync {
    /// The register has changed, or may have. The store tells this at least once for every change after a watched read,
    /// and before any [`confirmed`](Self::confirmed) that covers the change.
    fn changed(&self, key: &str);

    /// Any register may have changed.
    fn all_changed(&self);

    /// Changes may go untold from now on.
    fn lost(&self);

    /// Contact is back: what is read from now on is watched, and nothing that was read before.
    fn regained(&self);

    /// All changes up to this moment have been told. It is a moment and not an age, so it stays true however long this
    /// process stands still before it hears of it.
    fn confirmed(&self, asked: Instant);

    /// The time for which one confirmation is good. Confirmations should come at least twice as often.
    fn heartbeat(&self) -> Duration;
}
