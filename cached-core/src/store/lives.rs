//! Stores that tell how long a register lives.

use super::{Life, StoreFuture};
use std::fmt;
use std::time::Duration;

/// A store that tells how long a register lives: [`Capabilities::with_lives`](super::Capabilities::with_lives). Only
/// [`Entry::peek`](crate::Entry::peek) asks.
///
/// ```
/// use cached_core::Clock;
/// use cached_core::store::{Key, Life, Lives, MemoryStore, Put, Store};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cached_core::StoreError> {
/// let (key, within) = (Key::from("key"), Duration::from_millis(100));
/// let store = MemoryStore::new(1 << 20, Clock::manual());
/// store.put(Put::new(&key, "bytes".into(), Duration::from_secs(60), within)).await?;
/// assert_eq!(store.life(Life::new(&key, within)).await?, Some(Duration::from_secs(60)));
/// # Ok(())
/// # }
/// ```
pub trait Lives: fmt::Debug + Send + Sync {
    /// How long the register lives from some time after the call; `None` if there is none.
    ///
    /// # Errors
    /// Any fault of the store.
    fn life<'a>(&'a self, request: Life<'a>) -> StoreFuture<'a, Option<Duration>>;
}
