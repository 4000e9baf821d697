//! Where registers live.
//!
//! A store moves keys and bytes; it knows neither envelopes nor types. Every step is atomic for each register, and the
//! rules of the protocol are the contract: under one key stands one register, which holds a lease or a value, and each
//! step compares and changes it at once. The suite in `store::conformance` (feature `conformance`) checks a store
//! against that contract.
//!
//! | | |
//! |---|---|
//! | [`RedisStore`] | a Redis server: what [`Cache::connect`](crate::Cache::connect) uses |
//! | [`MemoryStore`] | the memory of this process: what [`Cache::memory`](crate::Cache::memory) uses |
//! | [`Store`] | what a store of your own has to do |
//! | [`Capabilities`] | what a store may be able to do beyond that, such as [`Watch`] or [`ForcedRefresh`] |
//! | [`Get`], [`Acquire`], [`Fill`] .. | what a caller asks for, one struct for each step |
//! | [`Acquired`], [`Each`], [`Ended`] .. | what a store answers |
//!
//! # On cancellation
//! A step whose future is dropped may have taken effect or not; callers treat it as unknown.
//!
//! # When the server is down
//! Every step ends within its time with a [`StoreError`]; none waits for a reconnect beyond that.

mod answer;
mod capabilities;
#[cfg(feature = "conformance")]
pub mod conformance;
mod domain;
mod each;
mod forced;
mod lives;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod request;
#[cfg(test)]
pub(crate) mod scripted;
mod watch;
mod watchers;

pub use crate::envelope::Head;
pub use crate::key::Key;
pub use answer::{Acquired, Cursor, Ended, PutValue, Replace, Swept, TakenOver, Watched, Written};
pub use capabilities::Capabilities;
pub use domain::Domain;
pub use each::Each;
pub use forced::ForcedRefresh;
pub use lives::Lives;
pub use memory::MemoryStore;
#[cfg(feature = "redis")]
pub use redis::RedisStore;
pub use request::{
    Acquire, Begin, End, Fill, Get, GetAll, GetWatched, Life, Ping, Put, Release, Remove, RemoveAll, Renew, Sweep,
    TagAll, Takeover,
};
pub use watch::{Watch, Watcher};

use crate::error::StoreError;
use bytes::Bytes;
use std::fmt;
use std::pin::Pin;

/// What a step of a store returns: a boxed future, so that stores can be wrapped, and chosen at run time.
///
/// ```
/// use cached_core::store::StoreFuture;
///
/// fn no_more<'a>() -> StoreFuture<'a, bool> {
///     Box::pin(async { Ok(false) })
/// }
/// ```
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Registers under keys, with the atomic steps of the protocol.
///
/// A *tag* is a register as well: one without payload, whose head is its generation. Beside each register stand the
/// *markers* of the writes in progress on it. They are no registers; only BEGIN, END and their own deadlines change
/// them.
///
/// Each step is atomic for each of its registers, and for several of them only where it says so. What takes several
/// answers for [each](Each) of them.
///
/// No method has a default, so a store that wraps another one loses nothing if it forwards all that the compiler asks
/// for. What only some stores can do is told by [`capabilities`](Self::capabilities).
///
/// ```
/// use cached_core::Clock;
/// use cached_core::store::{Get, Key, MemoryStore, Put, Remove, Store};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cached_core::StoreError> {
/// let (key, within) = (Key::from("key"), Duration::from_millis(100));
/// let store = MemoryStore::new(1 << 20, Clock::system());
/// store.put(Put::new(&key, "bytes".into(), Duration::from_secs(60), within)).await?;
/// assert_eq!(store.get(Get::new(&key, within)).await?.as_deref(), Some(&b"bytes"[..]));
/// assert!(store.remove(Remove::new(&key, within)).await?);
/// # Ok(())
/// # }
/// ```
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// A short name for statistics and logs, such as `"redis"`.
    fn name(&self) -> &'static str;

    /// What this store can do beyond the steps below. A store around another one forwards the answer, or makes its own
    /// of the abilities that it implements.
    fn capabilities(&self) -> Capabilities<'_>;

    /// The part of this store that the register of `key` stands in, and fails with. A store that answers or fails as a
    /// whole says [`Domain::FIRST`] of every key. The answer may change from call to call; it must not wait.
    fn domain(&self, key: &Key) -> Domain;

    /// HIT: reads a register as it stands at some time after the call; `None` if there is none.
    ///
    /// # Errors
    /// [`FaultKind::WrongType`](crate::FaultKind::WrongType) if something else stands under the key; any other fault
    /// of the store.
    fn get<'a>(&'a self, request: Get<'a>) -> StoreFuture<'a, Option<Bytes>>;

    /// ACQUIRE: takes the lease for its time unless there is a value, another lease, or a write in progress. Asking
    /// twice with one lease grants it twice. Data of another type under the key is replaced.
    ///
    /// # Errors
    /// Any fault of the store; whether the lease was taken is then unknown.
    fn acquire<'a>(&'a self, request: Acquire<'a>) -> StoreFuture<'a, Acquired>;

    /// RENEW: gives the lease its time from now. Answers `false` if the lease is lost.
    ///
    /// # Errors
    /// Any fault of the store.
    fn renew<'a>(&'a self, request: Renew<'a>) -> StoreFuture<'a, bool>;

    /// FILL: stores the value if the head of the register still is the expected one. Answers `false` if it is not.
    /// Filling twice with one value succeeds twice.
    ///
    /// # Errors
    /// Any fault of the store; whether the value was stored is then unknown.
    fn fill<'a>(&'a self, request: Fill<'a>) -> StoreFuture<'a, bool>;

    /// RELEASE: removes the register if it has this head, and answers whether it had. So a caller gives a lease back,
    /// and a refresh that has found nothing ends the old value, but never a newer one that stands there by now.
    ///
    /// # Errors
    /// Any fault of the store; the lease, or the value, then ends by itself.
    fn release<'a>(&'a self, request: Release<'a>) -> StoreFuture<'a, bool>;

    /// SET: stores the value whatever the register holds, also over one that was written while this step was on its
    /// way; but not while a write is in progress. Answers whether it was stored.
    ///
    /// # Errors
    /// Any fault of the store; whether the value was stored, or will be, is then unknown.
    fn put<'a>(&'a self, request: Put<'a>) -> StoreFuture<'a, bool>;

    /// INVALIDATE: removes the register, value or lease alike. Answers `true` if there was one.
    ///
    /// # Errors
    /// Any fault of the store; whether the register was removed is then unknown.
    fn remove<'a>(&'a self, request: Remove<'a>) -> StoreFuture<'a, bool>;

    /// HIT with tags: reads several registers as they stand at some time after the call, each of them at a time of its
    /// own. Data of another type counts as none.
    ///
    /// # Errors
    /// Any fault of the store.
    fn get_all<'a>(&'a self, request: GetAll<'a>) -> StoreFuture<'a, Each<Option<Bytes>>>;

    /// INVALIDATE of several registers.
    ///
    /// # Errors
    /// Any fault of the store; which registers were removed is then unknown.
    fn remove_all<'a>(&'a self, request: RemoveAll<'a>) -> StoreFuture<'a, Each<()>>;

    /// TAG: answers the heads of the tags, and creates those that are absent. Answers `None` for a tag if a write is in
    /// progress on it; a store that takes all tags at once may answer so for all of them if it is on one. Tags live for
    /// at least half of the given time from now on, new ones for all of it. A register that is no head of a value is
    /// replaced.
    ///
    /// The fresh head is sent once at most: a copy that arrives late would bring a generation back.
    ///
    /// # Errors
    /// Any fault of the store.
    fn tag<'a>(&'a self, request: TagAll<'a>) -> StoreFuture<'a, Each<Option<Head>>>;

    /// BEGIN: removes the registers and marks each of them as being written by the writer. While a marker lives, no
    /// lease is given and nothing is [put](Self::put). Repeated, it extends the markers, and begins those again that
    /// were lost.
    ///
    /// With a token, the writer's head itself stands in each register that nobody else is writing, until another write
    /// touches it. So a BEGIN with a token is sent once at most. To extend, leave it out: a token that stands is
    /// extended with its marker, and one that is lost must not come back, since others may have written meanwhile.
    ///
    /// # Errors
    /// Any fault of the store; whether the write is marked is then unknown.
    fn begin<'a>(&'a self, request: Begin<'a>) -> StoreFuture<'a, Each<()>>;

    /// END: removes the registers and the markers of the writer. It puts what is to be put if the writer's token still
    /// stands in all registers with something to put, and answers whether it has put all of it. A store that cannot
    /// take all of these registers at once puts nothing.
    ///
    /// # Errors
    /// Any fault of the store; whether the write has ended is then unknown.
    fn end<'a>(&'a self, request: End<'a>) -> StoreFuture<'a, Ended>;

    /// Removes registers whose keys begin with the prefix, with or without a `{` in front, as what stands beside an
    /// entry has it. One call removes a stretch of them. When the last stretch is done, all that stood there when the
    /// first began are gone. Markers stay.
    ///
    /// # Errors
    /// Any fault of the store; the stretch can be repeated.
    fn sweep<'a>(&'a self, request: Sweep<'a>) -> StoreFuture<'a, Swept>;

    /// PING: asks one [domain](Domain) of the store for a sign of life.
    ///
    /// # Errors
    /// A fault that [is an outage](crate::FaultKind::is_outage): that domain is out of reach.
    fn ping(&self, request: Ping) -> StoreFuture<'_, ()>;
}
