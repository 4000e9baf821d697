//! The keys of calls, as the store sees them.

use bytes::Bytes;
use cached_core::store::{Acquired, Head, Key, Replace, Store, StoreFuture, Swept, Written};
use cached_core::{Cache, FaultKind, StoreError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A store that only notes the key it was asked for.
#[derive(Debug, Default)]
pub struct Notes(Mutex<String>);

impl Notes {
    /// The store, with a cache over it.
    ///
    /// # Panics
    /// When the cache cannot be built.
    #[must_use]
    pub fn with_cache() -> (Arc<Self>, Cache) {
        let notes = Arc::new(Self::default());
        let cache = Cache::builder().namespace("cache").store(notes.clone()).build().expect("a cache over notes");
        (notes, cache)
    }

    /// The key that was asked for last.
    #[must_use]
    pub fn take(&self) -> String {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn no<'a, T: Send + 'a>() -> StoreFuture<'a, T> {
    Box::pin(std::future::ready(Err(StoreError::new(FaultKind::Refused, "it only takes notes"))))
}

impl Store for Notes {
    fn name(&self) -> &'static str {
        "notes"
    }

    fn get<'a>(&'a self, key: &'a Key, _: Duration) -> StoreFuture<'a, Option<Bytes>> {
        (**key).clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
        no()
    }

    fn acquire<'a>(&'a self, _: &'a Key, _: Head, _: Duration, _: Replace, _: Duration) -> StoreFuture<'a, Acquired> {
        no()
    }

    fn renew<'a>(&'a self, _: &'a Key, _: Head, _: Duration, _: Duration) -> StoreFuture<'a, bool> {
        no()
    }

    fn fill<'a>(&'a self, _: &'a Key, _: Head, _: Bytes, _: Duration, _: Duration) -> StoreFuture<'a, bool> {
        no()
    }

    fn release<'a>(&'a self, _: &'a Key, _: Head, _: Duration) -> StoreFuture<'a, bool> {
        no()
    }

    fn put<'a>(&'a self, _: &'a Key, _: Bytes, _: Duration, _: Duration) -> StoreFuture<'a, bool> {
        no()
    }

    fn remove<'a>(&'a self, _: &'a Key, _: Duration) -> StoreFuture<'a, bool> {
        no()
    }

    fn get_all<'a>(&'a self, _: &'a [Key], _: Duration) -> StoreFuture<'a, Vec<Option<Bytes>>> {
        no()
    }

    fn remove_all<'a>(&'a self, _: &'a [Key], _: Duration) -> StoreFuture<'a, ()> {
        no()
    }

    fn tag<'a>(&'a self, _: &'a [Key], _: Head, _: Duration, _: Duration) -> StoreFuture<'a, Option<Vec<Head>>> {
        no()
    }

    fn begin<'a>(&'a self, _: Head, _: &'a [Key], _: Duration, _: bool, _: Duration) -> StoreFuture<'a, ()> {
        no()
    }

    fn end<'a>(&'a self, _: Head, _: &'a [Written], _: Duration) -> StoreFuture<'a, bool> {
        no()
    }

    fn sweep<'a>(&'a self, _: &'a str, _: Option<u64>, _: Duration) -> StoreFuture<'a, Swept> {
        no()
    }

    fn ping(&self, _: Duration) -> StoreFuture<'_, ()> {
        no()
    }
}
