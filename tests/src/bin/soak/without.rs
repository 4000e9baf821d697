//! A store that lacks one of the protocol's safeguards, to show that the soak would notice.

use bytes::Bytes;
use cached_core::store::{Acquired, Head, Key, RedisStore, Replace, Store, StoreFuture, Swept, Written};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Safeguard {
    /// The lease in the register itself: without this, the lease stands beside the register, where no invalidation
    /// revokes it.
    Lease,
    /// The bracket: without this, BEGIN does nothing.
    Bracket,
    /// The comparison in FILL: without this, FILL overwrites whatever stands there.
    Fence,
}

impl Safeguard {
    pub(crate) const ALL: [(&'static str, Self); 3] =
        [("lease", Self::Lease), ("bracket", Self::Bracket), ("fence", Self::Fence)];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, safeguard)| *safeguard)
    }
}

#[derive(Debug)]
pub(crate) struct Without {
    pub(crate) store: RedisStore,
    pub(crate) safeguard: Safeguard,
}

impl Without {
    fn beside(key: &Key) -> Key {
        // The two keys need not stand in one slot.
        Key::from(format!("lease of {key}"))
    }
}

impl Store for Without {
    tests::forward!(store: name, get, renew, release, put, remove, get_all, watch, get_watched, remove_all, tag, end, sweep, ping);

    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        lease: Head,
        ttl: Duration,
        replace: Replace,
        within: Duration,
    ) -> StoreFuture<'a, Acquired> {
        Box::pin(async move {
            let acquired = self.store.acquire(key, lease, ttl, replace, within).await?;
            if self.safeguard != Safeguard::Lease || acquired != Acquired::Granted {
                return Ok(acquired);
            }
            self.store.release(key, lease, within).await?;
            self.store.acquire(&Self::beside(key), lease, ttl, Replace::Nothing, within).await
        })
    }

    fn fill<'a>(
        &'a self,
        key: &'a Key,
        expected: Head,
        value: Bytes,
        ttl: Duration,
        within: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            match self.safeguard {
                Safeguard::Bracket => return self.store.fill(key, expected, value, ttl, within).await,
                Safeguard::Fence => {}
                Safeguard::Lease => {
                    if !self.store.release(&Self::beside(key), expected, within).await? {
                        return Ok(false);
                    }
                }
            }
            self.store.put(key, value, ttl, within).await
        })
    }

    fn begin<'a>(
        &'a self,
        writer: Head,
        keys: &'a [Key],
        marker: Duration,
        token: bool,
        within: Duration,
    ) -> StoreFuture<'a, ()> {
        match self.safeguard {
            Safeguard::Bracket => Box::pin(async { Ok(()) }),
            _ => self.store.begin(writer, keys, marker, token, within),
        }
    }
}
