//! A lease: the right to load a key and to store the result, for a time that its holder renews.
//!
//! It lives in the register itself, so whatever removes the register (an invalidation, an eviction, a plain `DEL`)
//! revokes it. Leases: Nishtala et al., *Scaling Memcache at Facebook*, NSDI 2013.
//!
//! A lease is short at first, so that a program that ends right after its call does not keep others waiting for long.
//! It gets its whole time when it is renewed, as soon as the load turns out to take time. The leases of a batch have
//! their whole time at once, because to acquire a few thousand of them takes time as well.
//!
//! # On cancellation
//! Dropping a lease releases it in a task of its own. Its ACQUIRE may still be under way then, and be carried out after
//! the RELEASE, so the RELEASE is repeated until it has found the lease. The leases of a batch are released in one task
//! ([`Releases`]).

use crate::envelope::Head;
use crate::error::StoreError;
use crate::flight::pulse::Pulse;
use crate::key::Key;
use crate::store::{Acquire, Acquired, Release, Renew, Replace, Store};
use crate::sync::{Mutex, locked};
use futures_util::stream::{self, StreamExt};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

/// How long a release may take. Nobody waits for it.
const OFF_PATH: Duration = Duration::from_secs(1);
/// The pause before a RELEASE is repeated. Each further pause is twice as long, until [`OFF_PATH`] is over.
const REPEATED_AFTER: Duration = Duration::from_millis(5);
/// Until its first renewal, a lease has one part in so many of its time,
const AT_FIRST: u32 = 4;
/// but at least this much, unless its whole time is shorter.
const AT_LEAST: Duration = Duration::from_millis(500);

/// How many leases of a batch are renewed or released concurrently.
const AT_ONCE: usize = 256;

/// How long a lease is renewed, so that a load that hangs does not keep its key for ever.
const RENEWED_FOR: Duration = Duration::from_secs(60);

/// 128 random bits, which do not repeat; `None` if the operating system has none to give.
pub(crate) fn random_id() -> Option<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(u128::from_le_bytes(bytes))
}

/// What a load is for, in 16 bits. They are part of the lease's id, so that a caller that reads the lease does not wait
/// for a load that it cannot use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Purpose(u16);

impl Purpose {
    /// No known purpose: for a refresh lease, and for a writer's token, which is no load.
    pub(crate) const NONE: Self = Self(0);
    const BITS: u128 = 0xffff;

    /// The purpose of loading a value that these bits identify.
    pub(crate) fn of(bits: u64) -> Self {
        let half = bits ^ bits >> 32;
        #[expect(clippy::cast_possible_truncation, reason = "all four parts are in it")]
        Self(((half ^ half >> 16) as u16).max(1))
    }

    /// The purpose of loading a value beside the base that has, or is going to have, these 128 bits.
    pub(crate) fn beside(base: u128) -> Self {
        // The upper half is random; the lower half may contain a purpose.
        Self::of((base >> 64) as u64)
    }

    /// The purpose in a lease's id.
    pub(crate) fn of_lease(head: Head) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "it is in the low bits")]
        Self(head.id() as u16)
    }

    /// An id: 112 random bits, and the purpose in the low ones.
    fn id(self) -> Option<u128> {
        Some(random_id()? & !Self::BITS | u128::from(self.0))
    }
}

/// A new token of a writer. Nobody takes it for the lease of a load.
pub(crate) fn writer() -> Option<Head> {
    Purpose::NONE.id().map(Head::lease)
}

#[derive(Debug)]
pub(crate) struct Lease {
    store: Arc<dyn Store>,
    key: Key,
    id: u128,
    time: Duration,
    holding: Holding,
    renewal: Option<Renewal>,
    /// Releases it when it is dropped; if `None`, a task of its own does.
    releases: Option<Arc<Releases>>,
}

/// Whether the register holds this lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holding {
    No,
    /// It may, now or later: ACQUIRE was sent but not answered.
    Perhaps,
    Yes,
}

/// A dropped lease that is to be released.
#[derive(Debug)]
struct DroppedLease {
    key: Key,
    head: Head,
    /// Whether the lease may still be granted.
    is_late: bool,
}

/// How long a single call's lease lives until it is renewed.
fn at_first(time: Duration) -> Duration {
    (time / AT_FIRST).max(AT_LEAST).min(time)
}

impl Lease {
    /// A lease that is not asked for yet; `None` if there are no random bits. If it belongs to a batch, `releases`
    /// releases it together with the batch's other leases.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        key: Key,
        purpose: Purpose,
        time: Duration,
        releases: Option<Arc<Releases>>,
    ) -> Option<Self> {
        let id = purpose.id()?;
        Some(Self { store, key, id, time, holding: Holding::No, renewal: None, releases })
    }

    /// Its 128 bits, which do not repeat.
    pub(crate) fn id(&self) -> u128 {
        self.id
    }

    /// The head of the register while it holds this lease.
    pub(crate) fn head(&self) -> Head {
        Head::lease(self.id)
    }

    /// Sends ACQUIRE.
    pub(crate) async fn acquire(&mut self, replace: Replace, within: Duration) -> Result<Acquired, StoreError> {
        self.holding = Holding::Perhaps;
        let first = if self.releases.is_some() { self.time } else { at_first(self.time) };
        let answer = self.store.acquire(Acquire::new(&self.key, self.head(), first, within).replacing(replace)).await;
        self.holding = match &answer {
            Ok(Acquired::Granted) => Holding::Yes,
            // Unknown, because the server has not answered.
            Err(error) if !error.kind.is_answer() => Holding::Perhaps,
            Ok(_) | Err(_) => Holding::No,
        };
        answer
    }

    /// Renews the lease until it is lost or dropped, or the load has taken too long. Does not renew it while `pulse`
    /// shows that the load is not polled.
    pub(crate) fn keep_alive(&mut self, pulse: Option<Arc<Pulse>>) {
        let (store, lease) = (Arc::clone(&self.store), vec![self.to_renew()]);
        self.renewal = Some(Renewal::start(store, lease, at_first(self.time), self.time, pulse));
    }

    /// What a [`Renewal`] of many leases needs to renew this one.
    pub(crate) fn to_renew(&self) -> (Key, Head) {
        (Key::clone(&self.key), self.head())
    }

    /// Sends RELEASE and waits for the answer.
    pub(crate) async fn release(mut self, within: Duration) -> Result<(), StoreError> {
        self.holding = Holding::No;
        self.store.release(Release::new(&self.key, self.head(), within)).await.map(drop)
    }

    /// Drops a lease that the register no longer holds, because it was filled or the lease was lost.
    pub(crate) fn forget(mut self) {
        self.holding = Holding::No;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.renewal.take());
        let is_late = match self.holding {
            Holding::No => return,
            Holding::Perhaps => true,
            Holding::Yes => false,
        };
        let dropped = DroppedLease { key: Key::clone(&self.key), head: self.head(), is_late };
        if let Some(releases) = &self.releases {
            return releases.add(dropped);
        }
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(release_all(Arc::clone(&self.store), vec![dropped]));
        }
    }
}

/// One task that renews leases, however many they are: new ones before they end, then each after every third of its
/// time. It stops when they are lost, when this is dropped, or after [`RENEWED_FOR`].
#[derive(Debug)]
pub(crate) struct Renewal(JoinHandle<()>);

impl Renewal {
    /// Starts the task. `first` is how long the leases live now.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        mut leases: Vec<(Key, Head)>,
        first: Duration,
        time: Duration,
        pulse: Option<Arc<Pulse>>,
    ) -> Self {
        Self(tokio::spawn(async move {
            let began = Instant::now();
            let mut next = began + first / 3;
            while began.elapsed() < RENEWED_FOR && !leases.is_empty() {
                sleep_until(next).await;
                // Other processes do not wait for a load that could continue but is not polled, so its lease may end.
                let idle = pulse.as_ref().and_then(|pulse| pulse.idle_since());
                let mut pause = time / 3;
                if idle.is_none_or(|since| since.elapsed() < time / 3) {
                    let round = renew_all(&*store, leases, time, first / 6).await;
                    leases = round.leases;
                    if round.has_failed {
                        pause = first / 3;
                    }
                }
                next += pause;
            }
        }))
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The result of renewing all leases once.
struct RenewalRound {
    /// The leases that are not lost.
    leases: Vec<(Key, Head)>,
    /// Whether some could not be renewed. They must be tried again before they end, even if they were never renewed.
    has_failed: bool,
}

async fn renew_all(store: &dyn Store, leases: Vec<(Key, Head)>, time: Duration, within: Duration) -> RenewalRound {
    let renew = |(key, head): (Key, Head)| async move {
        let answer = store.renew(Renew::new(&key, head, time, within)).await;
        ((key, head), answer)
    };
    let mut round = RenewalRound { leases: Vec::with_capacity(leases.len()), has_failed: false };
    let mut renewals = stream::iter(leases).map(renew).buffer_unordered(AT_ONCE);
    while let Some((lease, answer)) = renewals.next().await {
        round.has_failed |= answer.is_err();
        if !matches!(answer, Ok(false)) {
            round.leases.push(lease);
        }
    }
    round
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

    fn add(&self, lease: DroppedLease) {
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
async fn release_all(store: Arc<dyn Store>, mut leases: Vec<DroppedLease>) {
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

#[cfg(test)]
mod tests;
