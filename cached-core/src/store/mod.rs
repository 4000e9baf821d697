//! Where registers live.
//!
//! A store moves keys and bytes; it knows neither envelopes nor types. Every operation is one atomic step, and the
//! protocol's rules are its contract: under one key stands one register, which holds a lease or a value, and each step
//! compares and changes it at once. The suite `tests/tests/store/conformance.rs` in the repository checks a store against that
//! contract; run it on a store of your own.
//!
//! | | |
//! |---|---|
//! | [`RedisStore`] | a Redis server: what [`Cache::connect`](crate::Cache::connect) uses |
//! | [`MemoryStore`] | this process's memory: what [`Cache::memory`](crate::Cache::memory) uses |
//! | [`Store`] | what a store of your own has to do |
//!
//! # On cancellation
//! A dropped future may or may not have taken effect; callers treat it as unknown.
//!
//! # When the server is down
//! Every operation ends within its time with a [`StoreError`]; none waits for a reconnect beyond that.

mod memory;
#[cfg(feature = "redis")]
mod redis;
#[cfg(test)]
pub(crate) mod scripted;
mod watchers;

pub use memory::MemoryStore;
#[cfg(feature = "redis")]
pub use redis::RedisStore;

pub use crate::envelope::Head;
use crate::error::StoreError;
pub use crate::key::Key;
use bytes::Bytes;
use std::fmt;
use std::pin::Pin;
use std::sync::Weak;
use std::time::{Duration, Instant};

/// What a store's operation returns: a future that is boxed, so that stores can be wrapped and chosen at run time.
///
/// ```
/// use cached_core::store::StoreFuture;
///
/// fn no_more<'a>() -> StoreFuture<'a, bool> {
///     Box::pin(async { Ok(false) })
/// }
/// ```
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// What stood under the key when a lease was asked for, as far as the caller may replace it.
///
/// ```
/// use bytes::Bytes;
/// use cached_core::store::Replace;
///
/// let damaged = Bytes::from_static(b"damaged");
/// assert!(Replace::unusable(&damaged).covers(b"damaged"));
/// assert!(!Replace::unusable(&damaged).covers(b"replaced meanwhile"));
/// assert!(!Replace::Nothing.covers(b"damaged"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replace {
    /// Only an absent register is taken.
    Nothing,
    /// The register that begins with these bytes, or is these bytes if they are fewer than [`Head::LEN`], is taken as
    /// well: it was found to be unusable.
    Unusable(Bytes),
}

impl Replace {
    /// Marks `register` as unusable: as a whole if it is shorter than a head, else by its head.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use cached_core::store::{Head, Replace};
    ///
    /// let register = Bytes::from(vec![b'V'; 40]);
    /// assert_eq!(Replace::unusable(&register), Replace::Unusable(register.slice(..Head::LEN)));
    /// ```
    #[must_use]
    pub fn unusable(register: &[u8]) -> Self {
        Self::Unusable(Bytes::copy_from_slice(&register[..register.len().min(Head::LEN)]))
    }

    /// Whether `register` is the one that may be replaced.
    ///
    /// ```
    /// use cached_core::store::Replace;
    ///
    /// assert!(!Replace::Nothing.covers(b"anything"));
    /// ```
    #[must_use]
    pub fn covers(&self, register: &[u8]) -> bool {
        match self {
            Self::Nothing => false,
            Self::Unusable(start) if start.len() < Head::LEN => register == start,
            Self::Unusable(start) => register.starts_with(start),
        }
    }
}

/// The answer to a request for a lease: [`Store::acquire`].
///
/// ```
/// use cached_core::store::Acquired;
///
/// fn who_loads(answer: &Acquired) -> &'static str {
///     match answer {
///         Acquired::Granted => "this caller, and stores",
///         Acquired::Value(_) => "nobody",
///         Acquired::Leased(_) => "someone else",
///         Acquired::Writing => "this caller, without storing",
///     }
/// }
/// assert_eq!(who_loads(&Acquired::Granted), "this caller, and stores");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acquired {
    /// The lease is ours.
    Granted,
    /// There is a value by now.
    Value(Bytes),
    /// Someone else holds a lease, for at most so long.
    Leased(Duration),
    /// A write is in progress: load, store nothing, share nothing.
    Writing,
}

/// What a write leaves under one of its keys when it ends: [`Store::end`].
///
/// ```
/// use cached_core::store::{Key, Written};
///
/// let removed = Written { key: Key::from("key"), put: None };
/// assert!(removed.put.is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The register.
    pub key: Key,
    /// What to put there for how long; `None` leaves nothing.
    pub put: Option<(Bytes, Duration)>,
}

impl Written {
    /// Nothing is left there.
    pub(crate) fn nothing(key: Key) -> Self {
        Self { key, put: None }
    }
}

/// Is told by a [`Store`] what has happened to registers that were read by [`Store::get_watched`]. Called from the thread that
/// hears of it, so none of these may wait.
///
/// ```
/// use cached_core::Clock;
/// use cached_core::store::{Key, MemoryStore, Store, Watcher};
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use std::sync::{Arc, Weak};
/// use std::time::{Duration, Instant};
///
/// #[derive(Debug, Default)]
/// struct Changes(AtomicU64);
///
/// impl Watcher for Changes {
///     fn changed(&self, _: &str) {
///         self.0.fetch_add(1, Ordering::SeqCst);
///     }
///     fn all_changed(&self) {}
///     fn lost(&self) {}
///     fn regained(&self) {}
///     fn confirmed(&self, _: Instant) {}
///     fn heartbeat(&self) -> Duration {
///         Duration::from_secs(2)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cached_core::StoreError> {
/// let (store, changes) = (MemoryStore::new(1 << 20, Clock::system()), Arc::new(Changes::default()));
/// let watcher: Weak<Changes> = Arc::downgrade(&changes);
/// store.watch(watcher);
/// let (key, within) = (Key::from("key"), Duration::from_millis(100));
/// store.get_watched(&[key.clone()], 1, within).await?;
/// store.put(&key, "bytes".into(), Duration::from_secs(60), within).await?;
/// assert_eq!(changes.0.load(Ordering::SeqCst), 1);
/// # Ok(())
/// # }
/// ```
pub trait Watcher: fmt::Debug + Send + Sync {
    /// The register has changed, or may have. Told at least once for every change after a watched read, before any
    /// [`confirmed`](Self::confirmed) that covers it.
    fn changed(&self, key: &str);

    /// Any register may have changed.
    fn all_changed(&self);

    /// From now on changes may not be told.
    fn lost(&self);

    /// Contact is back: what is read from now on is watched, and nothing that was read before.
    fn regained(&self);

    /// All changes up to this moment have been told. A moment and not an age: it stays what it is however long this process
    /// stands still before it hears of it.
    fn confirmed(&self, asked: Instant);

    /// For how long one confirmation is good: they should come at least twice as often.
    fn heartbeat(&self) -> Duration;
}

/// What [`Store::get_watched`] has read.
///
/// ```
/// use cached_core::store::Watched;
/// use std::time::Duration;
///
/// let nothing = Watched { registers: vec![None], lives: vec![Duration::ZERO] };
/// assert!(nothing.registers[0].is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The registers.
    pub registers: Vec<Option<Bytes>>,
    /// How long they live, for as many of the first as was asked; zero for what is absent.
    pub lives: Vec<Duration>,
}

/// One stretch of a sweep: [`Store::sweep`].
///
/// ```
/// use cached_core::store::Swept;
///
/// let last = Swept { next: None, removed: 12 };
/// assert!(last.next.is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Where the next stretch begins; `None` if this was the last.
    pub next: Option<u64>,
    /// Registers removed.
    pub removed: u64,
}

/// Registers under keys, with the atomic steps of the protocol.
///
/// A *tag* is a register as well: one without payload, whose head is its generation. Beside each register stand the
/// *markers* of the writes in progress on it; they are no registers, and nothing but BEGIN, END and their own deadlines
/// changes them.
///
/// In all of them `key` is at most 512 bytes long, `ttl` is counted from now (one below a millisecond as a millisecond),
/// and `within` is the most time that the answer may take, connecting included.
///
/// ```
/// use cached_core::store::{Key, MemoryStore, Store};
/// use cached_core::Clock;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cached_core::StoreError> {
/// let (key, within) = (Key::from("key"), Duration::from_millis(100));
/// let store = MemoryStore::new(1 << 20, Clock::system());
/// store.put(&key, "bytes".into(), Duration::from_secs(60), within).await?;
/// assert_eq!(store.get(&key, within).await?.as_deref(), Some(&b"bytes"[..]));
/// assert!(store.remove(&key, within).await?);
/// # Ok(())
/// # }
/// ```
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// A short name for statistics and logs, such as `"redis"`.
    fn name(&self) -> &'static str;

    /// HIT: reads a register as it stands at some time after the call; `None` if there is none.
    ///
    /// # Errors
    /// [`FaultKind::WrongType`](crate::FaultKind::WrongType) if something else stands under the key; any other fault
    /// of the store.
    fn get<'a>(&'a self, key: &'a Key, within: Duration) -> StoreFuture<'a, Option<Bytes>>;

    /// ACQUIRE: takes the lease `lease` for `ttl` unless there is a value, another lease, or a write in progress.
    /// Asking twice with one lease grants it twice. Data of another type under the key is replaced.
    ///
    /// # Errors
    /// Any fault of the store; whether the lease was taken is then unknown.
    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        lease: Head,
        ttl: Duration,
        replace: Replace,
        within: Duration,
    ) -> StoreFuture<'a, Acquired>;

    /// Renews `lease` to `ttl` from now. `false` if it is lost.
    ///
    /// # Errors
    /// Any fault of the store.
    fn renew<'a>(&'a self, key: &'a Key, lease: Head, ttl: Duration, within: Duration) -> StoreFuture<'a, bool>;

    /// FILL: stores `value` for `ttl` if the register's head still is `expected`. `false` if it is not. Filling twice
    /// with one value succeeds twice.
    ///
    /// # Errors
    /// Any fault of the store; whether the value was stored is then unknown.
    fn fill<'a>(
        &'a self,
        key: &'a Key,
        expected: Head,
        value: Bytes,
        ttl: Duration,
        within: Duration,
    ) -> StoreFuture<'a, bool>;

    /// RELEASE: removes the register if its head is `head`; whether it was. So a lease is given back, and a value ends that a
    /// refresh has found nothing to replace by: not the newer one that may stand there by now.
    ///
    /// # Errors
    /// Any fault of the store; the lease, or the value, then ends by itself.
    fn release<'a>(&'a self, key: &'a Key, head: Head, within: Duration) -> StoreFuture<'a, bool>;

    /// SET: stores `value` whatever the register holds, also one that was written while this was on its way; but not while a write
    /// is in progress. Whether it was stored.
    ///
    /// # Errors
    /// Any fault of the store; whether the value was stored, or will be, is then unknown.
    fn put<'a>(&'a self, key: &'a Key, value: Bytes, ttl: Duration, within: Duration) -> StoreFuture<'a, bool>;

    /// INVALIDATE: removes the register, value or lease alike. `true` if there was one.
    ///
    /// # Errors
    /// Any fault of the store; whether the register was removed is then unknown.
    fn remove<'a>(&'a self, key: &'a Key, within: Duration) -> StoreFuture<'a, bool>;

    /// HIT with tags: reads several registers as they stand at some time after the call, each of them at a time of its own.
    /// Data of another type counts as none.
    ///
    /// # Errors
    /// Any fault of the store.
    fn get_all<'a>(&'a self, keys: &'a [Key], within: Duration) -> StoreFuture<'a, Vec<Option<Bytes>>>;

    /// Tells `watcher` from now on what happens to the registers that [`get_watched`](Self::get_watched) reads, until it is
    /// dropped. A store that cannot do so, as by default, ignores it; then there is no near cache, which the log warns of. A
    /// store around another one forwards both.
    fn watch(&self, watcher: Weak<dyn Watcher>) {
        let _ = watcher;
    }

    /// As [`get_all`](Self::get_all), of registers whose every change from then on is told to the watchers; and how long the
    /// first `timed` of them live. `None` if changes are not told, or not at this moment.
    ///
    /// # Errors
    /// Any fault of the store.
    fn get_watched<'a>(&'a self, keys: &'a [Key], timed: usize, within: Duration) -> StoreFuture<'a, Option<Watched>> {
        let _ = (keys, timed, within);
        Box::pin(std::future::ready(Ok(None)))
    }

    /// INVALIDATE of several registers.
    ///
    /// # Errors
    /// Any fault of the store; which registers were removed is then unknown.
    fn remove_all<'a>(&'a self, keys: &'a [Key], within: Duration) -> StoreFuture<'a, ()>;

    /// TAG: the heads of tags, those that are absent created as `fresh`; `None` if a write is in progress on one of them.
    /// Tags live for at least half of `ttl` from now on, new ones for `ttl`. One that is no value's head is replaced.
    ///
    /// `fresh` is sent once at most: a copy that arrives late would bring a generation back.
    ///
    /// # Errors
    /// Any fault of the store.
    fn tag<'a>(
        &'a self,
        tags: &'a [Key],
        fresh: Head,
        ttl: Duration,
        within: Duration,
    ) -> StoreFuture<'a, Option<Vec<Head>>>;

    /// BEGIN: removes the registers and marks each of them as being written by `writer` for the time `marker`. While a
    /// marker lives, no lease is given and nothing is [put](Self::put). Repeated, it extends the markers; what is lost of them is begun again.
    ///
    /// With `token`, `writer` itself stands in each register that nobody else is writing: until another write touches it.
    /// So a BEGIN with it is sent once at most. To extend, leave it out: a token that stands is extended with its
    /// marker, and one that is lost must not come back, since others may have written meanwhile.
    ///
    /// # Errors
    /// Any fault of the store; whether the write is marked is then unknown.
    fn begin<'a>(
        &'a self,
        writer: Head,
        keys: &'a [Key],
        marker: Duration,
        token: bool,
        within: Duration,
    ) -> StoreFuture<'a, ()>;

    /// END: removes the registers and the markers of `writer`. What is to be put is put if in all registers with something
    /// to put the token of `writer` still stands; whether it was.
    ///
    /// # Errors
    /// Any fault of the store; whether the write has ended is then unknown.
    fn end<'a>(&'a self, writer: Head, written: &'a [Written], within: Duration) -> StoreFuture<'a, bool>;

    /// Removes registers whose keys begin with `prefix`, with or without a `{` in front, as what stands beside an entry has it: a
    /// stretch of them at a time, beginning at `from` (`None` for the first). When the last stretch is done, all that stood there
    /// when the first began are gone. Markers stay.
    ///
    /// # Errors
    /// Any fault of the store; the stretch can be repeated.
    fn sweep<'a>(&'a self, prefix: &'a str, from: Option<u64>, within: Duration) -> StoreFuture<'a, Swept>;

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// A fault that [is an outage](crate::FaultKind::is_outage): the store is out of reach.
    fn ping(&self, within: Duration) -> StoreFuture<'_, ()>;
}
