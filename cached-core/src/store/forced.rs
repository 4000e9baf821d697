//! The ability to take a register over from all who have begun to load, which a forced refresh needs.

use super::{StoreFuture, TakenOver, Takeover};
use std::fmt;

/// An optional ability of a store: a register can be loaded again while its value is served on.
///
/// A store that has it says so in its [`capabilities`](super::Store::capabilities). Without it a forced refresh removes
/// the value before it loads, so that others wait for the load.
///
/// ```
/// use cached_core::Clock;
/// use cached_core::store::{Fill, Get, Head, Key, MemoryStore, Put, Store, TakenOver, Takeover};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cached_core::StoreError> {
/// let store = MemoryStore::new(1 << 20, Clock::system());
/// let (key, minute, within) = (Key::from("key"), Duration::from_secs(60), Duration::from_millis(100));
/// store.put(Put::new(&key, "V0123456789abcdef: old".into(), minute, within)).await?;
///
/// let fresh = Head::from_bytes(b"Vabcdef0123456789").unwrap();
/// let lease = Head::from_bytes(b"Labcdef0123456789").unwrap();
/// let forced = store.capabilities().forced_refresh().expect("a memory store can");
/// let taken = forced.take_over(Takeover::new(&key, fresh, lease, minute, within)).await?;
/// assert_eq!(taken, TakenOver::Value);
/// assert_eq!(store.get(Get::new(&key, within)).await?.unwrap(), "Vabcdef0123456789: old");
///
/// let new = "V9876543210fedcba: new";
/// assert!(store.fill(Fill::new(&key, fresh, new.into(), minute, within)).await?);
/// # Ok(())
/// # }
/// ```
pub trait ForcedRefresh: fmt::Debug + Send + Sync {
    /// TAKEOVER: takes the right to store away from all who have it, and gives it to the caller. A register that begins
    /// with the head of a value gets the fresh head in place of its own; its other bytes and its time to live stay as
    /// they are. Anything else, also another caller's lease or data of another type, is replaced by the caller's lease.
    ///
    /// While a write is in progress nobody gets the right, and what stands in the register is removed: it can only be a
    /// writer's token, and what that writer would put may be older than what the caller loads now.
    ///
    /// The heads are sent once at most: a copy that arrives late would bring back a right that an invalidation has
    /// ended.
    ///
    /// # Errors
    /// Any fault of the store; whether the register was taken over is then unknown.
    fn take_over<'a>(&'a self, request: Takeover<'a>) -> StoreFuture<'a, TakenOver>;
}
