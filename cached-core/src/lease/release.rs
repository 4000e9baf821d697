//! Releases leases that were dropped. Nobody waits for it.

use crate::background::Background;
use crate::envelope::Head;
use crate::error::StoreError;
use crate::key::Key;
use crate::store::{Release, Store};
use crate::sync::{Mutex, locked};
use futures_util::stream::{self, StreamExt};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

/// How many leases of a batch are renewed or released concurrently.
pub(super) const AT_ONCE: usize = 256;
/// How long a release may take. Nobody waits for it.
pub(super) const OFF_PATH: Duration = Duration::from_secs(1);
/// The pause before a RELEASE is repeated. Each further pause is twice as long, until [`OFF_PATH`] is over.
const REPEATED_AFTER: Duration = Duration::from_millis(5);

/// A dropped lease that is to be released.
#[derive(Debug)]
pub(super) struct DroppedLease {
    pub(super) key: Key,
    pub(super) head: Head,
    /// Whether the lease may still be granted.
    pub(super) is_late: bool,
}

/// Releases dropped leases in the background: each of them at once, or those of a batch in one task, on
/// [`start`](Self::start) or when this is dropped.
#[derive(Debug)]
pub(crate) struct Releases {
    store: Arc<dyn Store>,
    background: Arc<Background>,
    /// `None` if each lease is released at once.
    due: Option<Mutex<Vec<DroppedLease>>>,
}

impl Releases {
    /// Releases each lease at once.
    pub(crate) fn at_once(store: Arc<dyn Store>, background: Arc<Background>) -> Self {
        Self { store, background, due: None }
    }

    /// The same for the leases of one batch, which are released together.
    pub(crate) fn of_batch(&self) -> Self {
        let (store, background) = (Arc::clone(&self.store), Arc::clone(&self.background));
        Self { store, background, due: Some(Mutex::new(Vec::new())) }
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Whether the leases are those of a batch.
    pub(super) fn is_of_batch(&self) -> bool {
        self.due.is_some()
    }

    pub(super) fn add(&self, lease: DroppedLease) {
        if let Some(due) = &self.due {
            return locked(due).push(lease);
        }
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(self.background.release(1).around(release_all(Arc::clone(&self.store), vec![lease])));
        }
    }

    /// Releases the leases of a batch that have been dropped so far.
    pub(crate) fn start(&self) {
        let Some(due) = &self.due else { return };
        let due = std::mem::take(&mut *locked(due));
        if due.is_empty() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let counted = self.background.release(due.len());
        let mut work = Box::pin(counted.around(release_all(Arc::clone(&self.store), due)));
        // The first poll sends the commands at once, and a store in memory then needs no task.
        if work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            runtime.spawn(work);
        }
    }
}

impl Drop for Releases {
    fn drop(&mut self) {
        self.start();
    }
}

/// Releases leases. Those that cannot be released end by themselves, as do all that remain when the store is out of
/// reach.
pub(super) async fn release_all(store: Arc<dyn Store>, mut leases: Vec<DroppedLease>) {
    let (until, mut pause) = (Instant::now() + OFF_PATH, REPEATED_AFTER);
    while let Ok(missing) = release_once(&*store, leases).await
        && !missing.is_empty()
        && Instant::now() < until
    {
        sleep(pause).await;
        (leases, pause) = (missing, 2 * pause);
    }
}

/// Returns the leases that were not found but may still be granted.
async fn release_once(store: &dyn Store, leases: Vec<DroppedLease>) -> Result<Vec<DroppedLease>, StoreError> {
    let release = |lease: DroppedLease| async move {
        let released = store.release(Release::new(&lease.key, lease.head, OFF_PATH)).await;
        (lease, released)
    };
    let mut missing = Vec::new();
    let mut releases = stream::iter(leases).map(release).buffer_unordered(AT_ONCE);
    while let Some((lease, released)) = releases.next().await {
        match released {
            Err(error) if error.kind.is_outage() => return Err(error),
            Ok(false) if lease.is_late => missing.push(lease),
            // The runtime of the connection is gone, so it is unknown whether the command was sent.
            Err(error) if !error.kind.is_answer() => missing.push(lease),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(missing)
}
