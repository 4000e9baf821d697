//! A store whose every step waits at the desk.

use super::desk::{Command, Desk, Process};
use super::foreign::Marks;
use bytes::Bytes;
use cached_core::store::{
    Acquire, Acquired, Begin, Capabilities, Domain, Each, End, Ended, Fill, ForcedRefresh, Get, GetAll, Head, Key,
    Ping, Put, Release, Remove, RemoveAll, Renew, Store, StoreFuture, Sweep, Swept, TagAll, TakenOver, Takeover,
};
use std::sync::Arc;
use std::time::Duration;

/// The schedule ends markers and leases.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) marks: Arc<Marks>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) process: Process,
}

impl Gate {
    fn pass<'a, T: Send + 'a>(&'a self, command: Command, run: StoreFuture<'a, T>) -> StoreFuture<'a, T> {
        Box::pin(self.desk.pass(self.process, command, run))
    }

    fn aside<'a, T: Send + 'a>(&'a self, run: StoreFuture<'a, T>) -> StoreFuture<'a, T> {
        self.pass(Command::Aside, run)
    }

    fn note_lease(&self, entry: Option<&Bytes>) {
        self.desk.note_lease(self.process, entry.is_some_and(|entry| entry.len() == Head::LEN && entry[0] == b'L'));
    }
}

impl ForcedRefresh for Gate {
    fn take_over<'a>(&'a self, request: Takeover<'a>) -> StoreFuture<'a, TakenOver> {
        let Takeover { key, fresh, lease, ttl, .. } = request.clone();
        let command = Command::Takeover { key: Key::clone(key), fresh, lease, ttl };
        let run = async move {
            let forced = self.store.capabilities().forced_refresh().expect("our own stores can");
            let taken = forced.take_over(request).await?;
            self.desk.note_takeover(self.process);
            Ok(taken)
        };
        self.pass(command, Box::pin(run))
    }
}

// Boxed in futures of their own: what a store does at once would be done before its turn.
impl Store for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn capabilities(&self) -> Capabilities<'_> {
        Capabilities::none().with_forced_refresh(self)
    }

    fn domain(&self, key: &Key) -> Domain {
        self.store.domain(key)
    }

    fn get<'a>(&'a self, request: Get<'a>) -> StoreFuture<'a, Option<Bytes>> {
        let run = async move {
            let entry = self.store.get(request).await?;
            self.note_lease(entry.as_ref());
            Ok(entry)
        };
        self.pass(Command::Get, Box::pin(run))
    }

    fn acquire<'a>(&'a self, request: Acquire<'a>) -> StoreFuture<'a, Acquired> {
        let Acquire { key, lease, ttl, replace, .. } = request.clone();
        let command = Command::Acquire { key: Key::clone(key), lease, ttl, replace };
        let run = async move {
            let acquired = self.store.acquire(request).await?;
            self.desk.note_lease(self.process, matches!(acquired, Acquired::Leased(_)));
            Ok(acquired)
        };
        self.pass(command, Box::pin(run))
    }

    fn renew<'a>(&'a self, request: Renew<'a>) -> StoreFuture<'a, bool> {
        self.aside(Box::pin(async move { self.store.renew(request).await }))
    }

    fn fill<'a>(&'a self, request: Fill<'a>) -> StoreFuture<'a, bool> {
        let Fill { key, expected, value, ttl, .. } = request.clone();
        let command = Command::Fill { key: Key::clone(key), expected, value, ttl };
        self.pass(command, Box::pin(async move { self.store.fill(request).await }))
    }

    fn release<'a>(&'a self, request: Release<'a>) -> StoreFuture<'a, bool> {
        self.aside(Box::pin(async move { self.store.release(request).await }))
    }

    fn put<'a>(&'a self, request: Put<'a>) -> StoreFuture<'a, bool> {
        let command = Command::Put { key: Key::clone(request.key), value: request.value.clone(), ttl: request.ttl };
        self.pass(command, Box::pin(async move { self.store.put(request).await }))
    }

    fn remove<'a>(&'a self, request: Remove<'a>) -> StoreFuture<'a, bool> {
        self.aside(Box::pin(async move { self.store.remove(request).await }))
    }

    fn get_all<'a>(&'a self, request: GetAll<'a>) -> StoreFuture<'a, Each<Option<Bytes>>> {
        let run = async move {
            let registers = self.store.get_all(request).await?.whole()?;
            self.note_lease(registers.first().and_then(Option::as_ref));
            Ok(registers.into())
        };
        self.pass(Command::GetAll, Box::pin(run))
    }

    fn remove_all<'a>(&'a self, request: RemoveAll<'a>) -> StoreFuture<'a, Each<()>> {
        let command = Command::RemoveAll { keys: request.keys.to_vec() };
        self.pass(command, Box::pin(async move { self.store.remove_all(request).await }))
    }

    fn tag<'a>(&'a self, request: TagAll<'a>) -> StoreFuture<'a, Each<Option<Head>>> {
        let command = Command::Tag { tags: request.tags.to_vec(), fresh: request.fresh, ttl: request.ttl };
        self.pass(command, Box::pin(async move { self.store.tag(request).await }))
    }

    fn begin<'a>(&'a self, mut request: Begin<'a>) -> StoreFuture<'a, Each<()>> {
        request.marker = FOR_EVER;
        self.desk.note_writer(self.process, request.writer);
        let command = Command::Begin { writer: request.writer, keys: request.keys.to_vec(), token: request.token };
        let run = async move {
            self.marks.begins(request.writer, request.keys);
            self.store.begin(request).await
        };
        self.pass(command, Box::pin(run))
    }

    fn end<'a>(&'a self, request: End<'a>) -> StoreFuture<'a, Ended> {
        let command = Command::End { writer: request.writer, written: request.written.to_vec() };
        let run = async move {
            self.marks.ends(request.writer, request.written);
            self.store.end(request).await
        };
        self.pass(command, Box::pin(run))
    }

    fn sweep<'a>(&'a self, request: Sweep<'a>) -> StoreFuture<'a, Swept> {
        self.aside(Box::pin(async move { self.store.sweep(request).await }))
    }

    fn ping(&self, request: Ping) -> StoreFuture<'_, ()> {
        self.aside(Box::pin(async move { self.store.ping(request).await }))
    }
}
