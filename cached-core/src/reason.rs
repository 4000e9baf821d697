//! The counted reasons why something did not happen.

use crate::error::FaultKind;

/// A reason of one kind.
pub(crate) trait Reason: Copy + Ord + 'static {
    const ALL: &'static [Self];

    /// Its position in [`ALL`](Self::ALL).
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
    /// Why a read did not find a usable value. Serializes in snake case: `"breaker_open"`.
    ///
    /// ```
    /// use cached_core::{Cache, MissReason};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// cache.entry("answer").get::<u64>().await;
    /// assert_eq!(cache.stats().site("Cache::entry").unwrap().misses[&MissReason::Absent], 1);
    /// # }
    /// ```
    MissReason {
        /// Nothing stands under the key.
        Absent,
        /// Someone is loading the value right now.
        Leased,
        /// A write to the key is in progress: the value is loaded and not stored.
        Writing,
        /// One of the value's tags or events has been invalidated, or its register was lost.
        Invalidated,
        /// The value's time is over, and this function does not serve it any more, or only if the load fails.
        Stale,
        /// An invalidation of this process is queued: until it is applied, this process does not use the value in the
        /// store.
        Pending,
        /// The bytes were not written by this library.
        Foreign,
        /// The bytes end before their header does.
        Truncated,
        /// The bytes have another layout, of another version of this library or of a feature that is off here.
        Version,
        /// The value was written for another type, `version`, codec or generic argument; or such a value is being
        /// loaded.
        Type,
        /// The checksum is wrong: the bytes are damaged, or copied from another key.
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
        /// The store refuses the user or the password.
        Auth,
        /// The store is loading its data set.
        Loading,
        /// The store takes no writes, so there is no lease.
        ReadOnly,
        /// The store's server is a replica, whose values may be old.
        NotPrimary,
        /// The store's server is busy with a script that takes long.
        Busy,
        /// The store's memory is full, so there is no lease.
        OutOfMemory,
        /// The store refused the command for another reason.
        Refused,
        /// The breaker is open: the store is left alone for now.
        BreakerOpen,
        /// The function called itself with the same key.
        SelfCall,
        /// The load of another caller took longer than `max_wait`, or another load has begun in its place.
        WaitedTooLong,
        /// The load of another caller failed.
        LoadFailed,
        /// The key cannot be rendered: `KeyIdentity` or `Serialize` of an argument failed or panicked.
        Key,
        /// `Deserialize` of the stored value panicked.
        Panicked,
        /// There is no tokio runtime here.
        NoRuntime,
        /// The cache is shut down: see [`Cache::shutdown`](crate::Cache::shutdown).
        ShutDown,
        /// The caller makes the call past the cache: [`bypass`](crate::bypass).
        Bypassed,
    }
}

counted_reasons! {
    /// Why a loaded value was not stored. Serializes in snake case: `"lease_lost"`.
    ///
    /// ```
    /// use cached_core::{Cache, UnstoredReason};
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cache = Cache::memory();
    /// let answer = cache.entry("answer").ttl(Duration::ZERO);
    /// answer.get_or_load(|| async { Ok::<u64, ()>(42) }).await.unwrap();
    /// cache.flush().await;
    /// let stats = cache.stats();
    /// assert_eq!(stats.site("Cache::entry").unwrap().unstored[&UnstoredReason::Policy], 1);
    /// # }
    /// ```
    UnstoredReason {
        /// The value is larger than `max_value_bytes`.
        TooLarge,
        /// `cache_if` returned false, `none_ttl` is off, or the time to live is zero.
        Policy,
        /// The codec cannot write the value: see [`Codec`](crate::Codec).
        Encode,
        /// The codec reads the value back as another one, because of a field that serde skips or an untagged enum.
        Changed,
        /// The lease was lost: it was invalidated, has ended or was evicted.
        LeaseLost,
        /// The load ran without a lease: the store was out of reach, a write was in progress, or a wait had ended.
        NoLease,
        /// A value tag was invalidated while the value was loaded.
        Tags,
        /// The value has more than 64 tags and events.
        TooManyTags,
        /// A batch returned entries that belong to none of its ids: one of them may be this id's value under another
        /// spelling.
        Unattributed,
        /// An invalidation of this process is queued.
        Pending,
        /// The store failed to store the value.
        Fault,
        /// Too many values were being stored already.
        Overflow,
        /// `Serialize` of the value panicked, or a closure of the attribute: `ttl`, `cache_if`, `tags` or `error_if`.
        /// Or `Clone` panicked, and the near cache does not serve the value.
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
