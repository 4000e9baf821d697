//! Why something did not happen, in words that are counted.

use crate::error::FaultKind;

/// A reason of one kind.
pub(crate) trait Reason: Copy + Ord + 'static {
    const ALL: &'static [Self];

    /// Where it stands among all.
    fn index(self) -> usize;
}

macro_rules! counted_reasons {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $crate::reason::Reason for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),*];

            #[inline]
            fn index(self) -> usize {
                self as usize
            }
        }
    };
}
pub(crate) use counted_reasons;

counted_reasons! {
    /// Why a lookup did not find a usable value. Serializes in snake case: `"breaker_open"`.
    ///
    /// ```
    /// use cached_core::{Cache, MissReason};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// cache.get::<u64>("answer").await;
    /// assert_eq!(cache.stats().site("Cache::get").unwrap().misses[&MissReason::Absent], 1);
    /// # }
    /// ```
    MissReason {
        /// Nothing stands under the key.
        Absent,
        /// Someone is loading the value right now.
        Leased,
        /// A writer is at work on the key: the value is loaded and not stored.
        Writing,
        /// A tag or an event of its has been invalidated since, or the register of one was lost.
        Invalidated,
        /// Its time is over, and this function does not serve it any more, or only if the load fails.
        Stale,
        /// An invalidation of this process could not be applied yet: until it is, the store is not believed.
        Pending,
        /// The bytes were not written by this library.
        Foreign,
        /// The bytes end before their header does.
        Truncated,
        /// Written in another layout, by another version of this library or with a feature that is off here.
        Version,
        /// Written for another type, another `version`, codec or generic argument; or such a value is being loaded.
        Type,
        /// The checksum is wrong: damaged, or brought from under another key.
        Corrupt,
        /// The payload does not deserialize.
        Payload,
        /// The compressed payload would expand beyond `max_value_bytes`.
        TooLarge,
        /// A Redis list, hash or the like stands under the key.
        WrongType,
        /// The store did not answer within the budget.
        Timeout,
        /// The store cannot be reached.
        Disconnected,
        /// The store refuses user or password.
        Auth,
        /// The store is loading its data set.
        Loading,
        /// The store takes no writes, so no lease either.
        ReadOnly,
        /// The store's server is a replica, whose values may be old.
        NotPrimary,
        /// The store's server runs a script that takes long.
        Busy,
        /// The store's memory is full, so there is no lease.
        OutOfMemory,
        /// The store refused the command for another reason.
        Refused,
        /// The breaker is open: the store is left alone for now.
        BreakerOpen,
        /// The function called itself with the same key.
        SelfCall,
        /// The load of another caller took longer than `max_wait`, or another has begun in its place.
        WaitedTooLong,
        /// The load of another caller failed.
        LoadFailed,
        /// The arguments could not be written into a key: their `KeyIdentity` or `Serialize` failed or panicked.
        Key,
        /// `Deserialize` of the stored value panicked.
        Panicked,
        /// There is no tokio runtime here.
        NoRuntime,
    }
}

counted_reasons! {
    /// Why a loaded value was not stored. Serializes in snake case: `"lease_lost"`.
    ///
    /// ```
    /// use cached_core::{Cache, Options, UnstoredReason};
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// let not_stored = Options::new().ttl(Duration::ZERO);
    /// cache.get_or_set("answer", not_stored, || async { Ok::<u64, ()>(42) }).await.unwrap();
    /// cache.settled().await;
    /// let stats = cache.stats();
    /// assert_eq!(stats.site("Cache::get_or_set").unwrap().unstored[&UnstoredReason::Policy], 1);
    /// # }
    /// ```
    UnstoredReason {
        /// The value is larger than `max_value_bytes`.
        TooLarge,
        /// `cache_if` said no, `none_ttl` is off, or the time to live is zero.
        Policy,
        /// The codec cannot write the value: see [`Codec`](crate::Codec).
        Encode,
        /// The codec reads the value back as another one: a field that serde skips, an untagged enum.
        Changed,
        /// The lease was lost: invalidated meanwhile, expired or evicted.
        LeaseLost,
        /// The load ran without a lease: the store was out of reach, a writer at work, or a wait had ended.
        NoLease,
        /// A tag was invalidated while the value was loaded that only the value tells.
        Tags,
        /// The value has more than 64 tags and events.
        TooManyTags,
        /// A batch returned entries that belong to none of the ids it was given: one of them may be this id's value under
        /// another spelling.
        Unattributed,
        /// An invalidation of this process could not be applied yet.
        Pending,
        /// The store failed while storing.
        Fault,
        /// Too many values were being stored already.
        Overflow,
        /// `Serialize` of the value or a closure of the attribute panicked: `ttl`, `cache_if` or `tags`. Or `Clone` did, and the
        /// near cache does not serve the value.
        Panicked,
    }
}

impl From<FaultKind> for MissReason {
    fn from(kind: FaultKind) -> Self {
        match kind {
            FaultKind::Timeout => Self::Timeout,
            FaultKind::Disconnected | FaultKind::Abandoned => Self::Disconnected,
            FaultKind::Auth => Self::Auth,
            FaultKind::Loading => Self::Loading,
            FaultKind::ReadOnly => Self::ReadOnly,
            FaultKind::NotPrimary => Self::NotPrimary,
            FaultKind::Busy => Self::Busy,
            FaultKind::OutOfMemory => Self::OutOfMemory,
            FaultKind::WrongType => Self::WrongType,
            FaultKind::Refused => Self::Refused,
        }
    }
}
