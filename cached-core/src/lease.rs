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

mod release;
mod renewal;

pub(crate) use release::Releases;
pub(crate) use renewal::Renewal;

use crate::envelope::Head;
use crate::error::StoreError;
use crate::flight::pulse::Pulse;
use crate::key::Key;
use crate::store::{Acquire, Acquired, Release, Replace, Store, TakenOver, Takeover};
use release::DroppedLease;
use std::sync::Arc;
use std::time::Duration;

/// Until its first renewal, a lease has one part in so many of its time,
const AT_FIRST: u32 = 4;
/// but at least this much, unless its whole time is shorter.
const AT_LEAST: Duration = Duration::from_millis(500);

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
    key: Key,
    id: u128,
    time: Duration,
    holding: Holding,
    renewal: Option<Renewal>,
    /// Releases it when it is dropped.
    releases: Arc<Releases>,
}

/// Whether the register holds this lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holding {
    No,
    /// It may, now or later: ACQUIRE was sent but not answered.
    Perhaps,
    Yes,
}

/// How long a single call's lease lives until it is renewed.
fn at_first(time: Duration) -> Duration {
    (time / AT_FIRST).max(AT_LEAST).min(time)
}

impl Lease {
    /// A lease that is not asked for yet, in the store of `releases`, which will release it; `None` if there are no
    /// random bits.
    pub(crate) fn new(releases: Arc<Releases>, key: Key, purpose: Purpose, time: Duration) -> Option<Self> {
        let id = purpose.id()?;
        Some(Self { key, id, time, holding: Holding::No, renewal: None, releases })
    }

    fn store(&self) -> &Arc<dyn Store> {
        self.releases.store()
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
        let first = if self.releases.is_of_batch() { self.time } else { at_first(self.time) };
        let answer = self.store().acquire(Acquire::new(&self.key, self.head(), first, within).replacing(replace)).await;
        self.holding = match &answer {
            Ok(Acquired::Granted) => Holding::Yes,
            // Unknown, because the server has not answered.
            Err(error) if !error.kind.is_answer() => Holding::Perhaps,
            Ok(_) | Err(_) => Holding::No,
        };
        answer
    }

    /// Sends TAKEOVER: the lease stands where no value does; a value gets the head `fresh`. `None` if the store cannot.
    pub(crate) async fn take_over(&mut self, fresh: Head, within: Duration) -> Result<Option<TakenOver>, StoreError> {
        let store = Arc::clone(self.store());
        let Some(forced) = store.capabilities().forced_refresh() else { return Ok(None) };
        self.holding = Holding::Perhaps;
        let first = if self.releases.is_of_batch() { self.time } else { at_first(self.time) };
        let answer = forced.take_over(Takeover::new(&self.key, fresh, self.head(), first, within)).await;
        self.holding = match &answer {
            Ok(TakenOver::Lease) => Holding::Yes,
            Err(error) if !error.kind.is_answer() => Holding::Perhaps,
            Ok(_) | Err(_) => Holding::No,
        };
        answer.map(Some)
    }

    /// Renews the lease until it is lost or dropped, or the load has taken too long. Does not renew it while `pulse`
    /// shows that the load is not polled.
    pub(crate) fn keep_alive(&mut self, pulse: Option<Arc<Pulse>>) {
        let (store, lease) = (Arc::clone(self.store()), vec![self.to_renew()]);
        self.renewal = Some(Renewal::start(store, lease, at_first(self.time), self.time, pulse));
    }

    /// What a [`Renewal`] of many leases needs to renew this one.
    pub(crate) fn to_renew(&self) -> (Key, Head) {
        (Key::clone(&self.key), self.head())
    }

    /// Sends RELEASE and waits for the answer. There is nothing to release if the lease was never given.
    pub(crate) async fn release(mut self, within: Duration) -> Result<(), StoreError> {
        if std::mem::replace(&mut self.holding, Holding::No) == Holding::No {
            return Ok(());
        }
        self.store().release(Release::new(&self.key, self.head(), within)).await.map(drop)
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
        self.releases.add(DroppedLease { key: Key::clone(&self.key), head: self.head(), is_late });
    }
}

#[cfg(test)]
mod tests;
