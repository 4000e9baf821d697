//! Releases leases that were dropped. Nobody waits for it.

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

/// Gathers the dropped leases of a batch and releases them in one task, on [`start`](Self::start) or when it is
/// dropped.
#[derive(Debug)]
pub(crate) struct Releases {
    store: Arc<dyn Store>,
    due: Mutex<Vec<DroppedLease>>,
}

impl Releases {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, due: Mutex::new(Vec::new()) }
    }

    pub(super) fn add(&self, lease: DroppedLease) {
        locked(&self.due).push(lease);
    }

    /// Releases the leases that have been dropped so far.
    pub(crate) fn start(&self) {
        let due = std::mem::take(&mut *locked(&self.due));
        if due.is_empty() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let mut work = Box::pin(release_all(Arc::clone(&self.store), due));
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
