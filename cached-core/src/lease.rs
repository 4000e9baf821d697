//! A lease: the right to load a key and to store the result, for a time that its holder renews.
//!
//! It lives in the register itself, so whatever removes the register (an invalidation, an eviction, a plain `DEL`)
//! revokes it. Leases: Nishtala et al., *Scaling Memcache at Facebook*, NSDI 2013.
//!
//! A lease is short at first and gets its whole time when it is renewed, which happens as soon as a load turns out to take
//! time. A program that ends right after its call so keeps others waiting for a moment only. Those of a batch have their whole
//! time at once: to acquire a few thousand of them takes its time as well.
//!
//! # On cancellation
//! Dropping a lease releases it in a task of its own. Its ACQUIRE may still be on its way then, and be carried out after the
//! RELEASE: so that is repeated until it has found the lease. The leases of a batch are released in one task for all
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

/// What releasing may take. Nobody waits for it.
const OFF_PATH: Duration = Duration::from_secs(1);
/// The pause before a RELEASE is repeated; each further one is twice as long, for as long as releasing may take.
const REPEATED_AFTER: Duration = Duration::from_millis(5);
/// Before its first renewal a lease has this part of its time,
const AT_FIRST: u32 = 4;
/// but no less than this, where it has so much.
const AT_LEAST: Duration = Duration::from_millis(500);

/// Leases of a batch that are renewed or released side by side.
const AT_ONCE: usize = 256;

/// A load that hangs does not keep its key to itself for ever.
const RENEWED_FOR: Duration = Duration::from_secs(60);

/// 128 random bits, which are never given out twice; `None` if the operating system has none to give.
pub(crate) fn random_id() -> Option<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(u128::from_le_bytes(bytes))
}

/// What a load is for, in 16 bits. They stand in the id of its lease, where whoever finds that sees them: nobody has to wait for a
/// load that is of no use to him.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Purpose(u16);

impl Purpose {
    /// None that is known: of a ticket, and of a writer's token, which is no load.
    pub(crate) const NONE: Self = Self(0);
    const BITS: u128 = 0xffff;

    /// A value that these bits tell from others.
    pub(crate) fn of(bits: u64) -> Self {
        let half = bits ^ bits >> 32;
        #[expect(clippy::cast_possible_truncation, reason = "all four parts are in it")]
        Self(((half ^ half >> 16) as u16).max(1))
    }

    /// What stands beside the value that has, or is going to have, these 128 bits.
    pub(crate) fn beside(base: u128) -> Self {
        // The upper half is random; in the lower one may stand a purpose.
        Self::of((base >> 64) as u64)
    }

    /// That of a lease.
    pub(crate) fn of_lease(head: Head) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "it stands in the low bits")]
        Self(head.id() as u16)
    }

    /// 112 random bits, with this in the low ones.
    fn id(self) -> Option<u128> {
        Some(random_id()? & !Self::BITS | u128::from(self.0))
    }
}

/// The name of a writer, which stands in a register as its token: nobody takes it for the lease of a load.
pub(crate) fn writer() -> Option<Head> {
    Purpose::NONE.id().map(Head::lease)
}

#[derive(Debug)]
pub(crate) struct Lease {
    store: Arc<dyn Store>,
    key: Key,
    id: u128,
    time: Duration,
    held: Held,
    renewal: Option<Renewal>,
    /// Who releases it when it is dropped; `None`: a task of its own.
    releases: Option<Arc<Releases>>,
}

/// Whether the register is this lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    No,
    /// It may be, or become so: ACQUIRE was sent and not answered.
    Perhaps,
    Yes,
}

/// A dropped lease that is to be released.
#[derive(Debug)]
struct Dropped {
    key: Key,
    head: Head,
    /// The lease may be given yet.
    is_late: bool,
}

/// How long a single call's lease lives that nobody has renewed.
fn at_first(time: Duration) -> Duration {
    (time / AT_FIRST).max(AT_LEAST).min(time)
}

impl Lease {
    /// A lease that was not asked for yet; `None` if there are no random bits. Dropped, it is released by `releases` along
    /// with the others of its batch, if it is of one.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        key: Key,
        purpose: Purpose,
        time: Duration,
        releases: Option<Arc<Releases>>,
    ) -> Option<Self> {
        let id = purpose.id()?;
        Some(Self { store, key, id, time, held: Held::No, renewal: None, releases })
    }

    /// Its 128 bits, which are never given out twice.
    pub(crate) fn id(&self) -> u128 {
        self.id
    }

    /// The register while it is this lease.
    pub(crate) fn head(&self) -> Head {
        Head::lease(self.id)
    }

    /// ACQUIRE.
    pub(crate) async fn acquire(&mut self, replace: Replace, within: Duration) -> Result<Acquired, StoreError> {
        self.held = Held::Perhaps;
        let first = if self.releases.is_some() { self.time } else { at_first(self.time) };
        let answer = self.store.acquire(Acquire::new(&self.key, self.head(), first, within).replacing(replace)).await;
        self.held = match &answer {
            Ok(Acquired::Granted) => Held::Yes,
            // Unknown, unless the server has said no.
            Err(error) if !error.kind.is_answer() => Held::Perhaps,
            Ok(_) | Err(_) => Held::No,
        };
        answer
    }

    /// Renews the lease until it is lost or dropped, or the load is no longer worth waiting for. Not while the load is not
    /// polled, as far as `pulse` tells.
    pub(crate) fn keep_alive(&mut self, pulse: Option<Arc<Pulse>>) {
        let (store, lease) = (Arc::clone(&self.store), vec![self.to_renew()]);
        self.renewal = Some(Renewal::start(store, lease, at_first(self.time), self.time, pulse));
    }

    /// What [`Renewal`] renews, where one is for many.
    pub(crate) fn to_renew(&self) -> (Key, Head) {
        (Key::clone(&self.key), self.head())
    }

    /// RELEASE, waited for.
    pub(crate) async fn release(mut self, within: Duration) -> Result<(), StoreError> {
        self.held = Held::No;
        self.store.release(Release::new(&self.key, self.head(), within)).await.map(drop)
    }

    /// The register is no longer this lease: filled, or known to be lost.
    pub(crate) fn forget(mut self) {
        self.held = Held::No;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.renewal.take());
        let is_late = match self.held {
            Held::No => return,
            Held::Perhaps => true,
            Held::Yes => false,
        };
        let dropped = Dropped { key: Key::clone(&self.key), head: self.head(), is_late };
        if let Some(releases) = &self.releases {
            return releases.add(dropped);
        }
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(release_all(Arc::clone(&self.store), vec![dropped]));
        }
    }
}

/// Renews fresh leases in time, and then every third of their time until they are lost or this is dropped, or the load is no
/// longer worth waiting for. One task, however many they are.
#[derive(Debug)]
pub(crate) struct Renewal(JoinHandle<()>);

impl Renewal {
    /// `first`: how long they live now.
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
                // A load that could go on and is not polled is not waited for, by other processes neither.
                let idle = pulse.as_ref().and_then(|pulse| pulse.idle_since());
                let mut pause = time / 3;
                if idle.is_none_or(|since| since.elapsed() < time / 3) {
                    let renewed = renewed(&*store, leases, time, first / 6).await;
                    leases = renewed.leases;
                    if renewed.has_failed {
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

/// What one round of renewals has led to.
struct Renewed {
    /// Those that are not lost.
    leases: Vec<(Key, Head)>,
    /// Some could not be renewed and are to be tried again before they have run out, also if they have never been renewed.
    has_failed: bool,
}

async fn renewed(store: &dyn Store, leases: Vec<(Key, Head)>, time: Duration, within: Duration) -> Renewed {
    let renew = |(key, head): (Key, Head)| async move {
        let answer = store.renew(Renew::new(&key, head, time, within)).await;
        ((key, head), answer)
    };
    let mut round = Renewed { leases: Vec::with_capacity(leases.len()), has_failed: false };
    let mut renewals = stream::iter(leases).map(renew).buffer_unordered(AT_ONCE);
    while let Some((lease, answer)) = renewals.next().await {
        round.has_failed |= answer.is_err();
        if !matches!(answer, Ok(false)) {
            round.leases.push(lease);
        }
    }
    round
}

/// Gathers the dropped leases of a batch, and releases them in one task: when it is told to, or nobody can add any more.
#[derive(Debug)]
pub(crate) struct Releases {
    store: Arc<dyn Store>,
    due: Mutex<Vec<Dropped>>,
}

impl Releases {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, due: Mutex::new(Vec::new()) }
    }

    fn add(&self, lease: Dropped) {
        locked(&self.due).push(lease);
    }

    /// Releases what has been dropped so far.
    pub(crate) fn start(&self) {
        let due = std::mem::take(&mut *locked(&self.due));
        if due.is_empty() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let mut work = Box::pin(release_all(Arc::clone(&self.store), due));
        // The commands are on their way at once, and a store in memory has no need of a task.
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

/// Those that cannot be released run out by themselves. When the store is out of reach the rest is left to do so, too.
async fn release_all(store: Arc<dyn Store>, mut leases: Vec<Dropped>) {
    let (until, mut pause) = (Instant::now() + OFF_PATH, REPEATED_AFTER);
    while let Ok(missing) = release_once(&*store, leases).await
        && !missing.is_empty()
        && Instant::now() < until
    {
        sleep(pause).await;
        (leases, pause) = (missing, 2 * pause);
    }
}

/// With those that were not found and may be given yet.
async fn release_once(store: &dyn Store, leases: Vec<Dropped>) -> Result<Vec<Dropped>, StoreError> {
    let release = |lease: Dropped| async move {
        let released = store.release(Release::new(&lease.key, lease.head, OFF_PATH)).await;
        (lease, released)
    };
    let mut missing = Vec::new();
    let mut releases = stream::iter(leases).map(release).buffer_unordered(AT_ONCE);
    while let Some((lease, released)) = releases.next().await {
        match released {
            Err(error) if error.kind.is_outage() => return Err(error),
            Ok(false) if lease.is_late => missing.push(lease),
            // Its connection's runtime is gone: it was sent, or not.
            Err(error) if !error.kind.is_answer() => missing.push(lease),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests;
