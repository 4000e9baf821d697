//! A store that lacks one of the protocol's safeguards, to show that the soak would notice.

use cached_core::store::{Acquire, Acquired, Begin, Each, Fill, Key, Put, RedisStore, Release, Store, StoreFuture};

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
    tests::forward!(store: name, domain, capabilities, get, renew, release, put, remove, get_all, remove_all, tag, end, sweep, ping);

    fn acquire<'a>(&'a self, request: Acquire<'a>) -> StoreFuture<'a, Acquired> {
        Box::pin(async move {
            let (key, lease, ttl, within) = (request.key, request.lease, request.ttl, request.within);
            let acquired = self.store.acquire(request).await?;
            if self.safeguard != Safeguard::Lease || acquired != Acquired::Granted {
                return Ok(acquired);
            }
            self.store.release(Release::new(key, lease, within)).await?;
            self.store.acquire(Acquire::new(&Self::beside(key), lease, ttl, within)).await
        })
    }

    fn fill<'a>(&'a self, request: Fill<'a>) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            match self.safeguard {
                Safeguard::Bracket => return self.store.fill(request).await,
                Safeguard::Fence => {}
                Safeguard::Lease => {
                    let beside = Self::beside(request.key);
                    let lease = Release::new(&beside, request.expected, request.within);
                    if !self.store.release(lease).await? {
                        return Ok(false);
                    }
                }
            }
            self.store.put(Put::new(request.key, request.value, request.ttl, request.within)).await
        })
    }

    fn begin<'a>(&'a self, request: Begin<'a>) -> StoreFuture<'a, Each<()>> {
        match self.safeguard {
            Safeguard::Bracket => Box::pin(async move { Ok(vec![(); request.keys.len()].into()) }),
            _ => self.store.begin(request),
        }
    }
}
