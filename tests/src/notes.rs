//! The keys of calls, as the store sees them.

use bytes::Bytes;
use cached_core::store::{
    Acquire, Acquired, Begin, Capabilities, Domain, Each, End, Ended, Fill, Get, GetAll, Head, Key, Ping, Put, Release,
    Remove, RemoveAll, Renew, Store, StoreFuture, Sweep, Swept, TagAll,
};
use cached_core::{Cache, FaultKind, StoreError};
use std::sync::{Arc, Mutex, PoisonError};

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

    fn capabilities(&self) -> Capabilities<'_> {
        Capabilities::none()
    }

    fn domain(&self, _: &Key) -> Domain {
        Domain::FIRST
    }

    fn get<'a>(&'a self, request: Get<'a>) -> StoreFuture<'a, Option<Bytes>> {
        (**request.key).clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
        no()
    }

    fn acquire<'a>(&'a self, _: Acquire<'a>) -> StoreFuture<'a, Acquired> {
        no()
    }

    fn renew<'a>(&'a self, _: Renew<'a>) -> StoreFuture<'a, bool> {
        no()
    }

    fn fill<'a>(&'a self, _: Fill<'a>) -> StoreFuture<'a, bool> {
        no()
    }

    fn release<'a>(&'a self, _: Release<'a>) -> StoreFuture<'a, bool> {
        no()
    }

    fn put<'a>(&'a self, _: Put<'a>) -> StoreFuture<'a, bool> {
        no()
    }

    fn remove<'a>(&'a self, _: Remove<'a>) -> StoreFuture<'a, bool> {
        no()
    }

    fn get_all<'a>(&'a self, _: GetAll<'a>) -> StoreFuture<'a, Each<Option<Bytes>>> {
        no()
    }

    fn remove_all<'a>(&'a self, _: RemoveAll<'a>) -> StoreFuture<'a, Each<()>> {
        no()
    }

    fn tag<'a>(&'a self, _: TagAll<'a>) -> StoreFuture<'a, Each<Option<Head>>> {
        no()
    }

    fn begin<'a>(&'a self, _: Begin<'a>) -> StoreFuture<'a, Each<()>> {
        no()
    }

    fn end<'a>(&'a self, _: End<'a>) -> StoreFuture<'a, Ended> {
        no()
    }

    fn sweep<'a>(&'a self, _: Sweep<'a>) -> StoreFuture<'a, Swept> {
        no()
    }

    fn ping(&self, _: Ping) -> StoreFuture<'_, ()> {
        no()
    }
}
