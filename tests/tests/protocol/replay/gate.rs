//! A store whose every step waits at the desk.

use super::desk::{Command, Desk, Process};
use super::foreign::Marks;
use bytes::Bytes;
use cached_core::store::{Acquired, Head, Key, Replace, Store, StoreFuture, Swept, Written};
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

// Boxed in futures of their own: what a store does at once would be done before its turn.
impl Store for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn get<'a>(&'a self, key: &'a Key, within: Duration) -> StoreFuture<'a, Option<Bytes>> {
        let run = async move {
            let entry = self.store.get(key, within).await?;
            self.note_lease(entry.as_ref());
            Ok(entry)
        };
        self.pass(Command::Get, Box::pin(run))
    }

    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        lease: Head,
        ttl: Duration,
        replace: Replace,
        within: Duration,
    ) -> StoreFuture<'a, Acquired> {
        let command = Command::Acquire { key: Arc::clone(key), lease, ttl, replace: replace.clone() };
        let run = async move {
            let acquired = self.store.acquire(key, lease, ttl, replace, within).await?;
            self.desk.note_lease(self.process, matches!(acquired, Acquired::Leased(_)));
            Ok(acquired)
        };
        self.pass(command, Box::pin(run))
    }

    fn renew<'a>(&'a self, key: &'a Key, lease: Head, ttl: Duration, within: Duration) -> StoreFuture<'a, bool> {
        self.aside(Box::pin(async move { self.store.renew(key, lease, ttl, within).await }))
    }

    fn fill<'a>(
        &'a self,
        key: &'a Key,
        expected: Head,
        value: Bytes,
        ttl: Duration,
        within: Duration,
    ) -> StoreFuture<'a, bool> {
        let command = Command::Fill { key: Arc::clone(key), expected, value: value.clone(), ttl };
        self.pass(command, Box::pin(async move { self.store.fill(key, expected, value, ttl, within).await }))
    }

    fn release<'a>(&'a self, key: &'a Key, lease: Head, within: Duration) -> StoreFuture<'a, bool> {
        self.aside(Box::pin(async move { self.store.release(key, lease, within).await }))
    }

    fn put<'a>(&'a self, key: &'a Key, value: Bytes, ttl: Duration, within: Duration) -> StoreFuture<'a, bool> {
        let command = Command::Put { key: Arc::clone(key), value: value.clone(), ttl };
        self.pass(command, Box::pin(async move { self.store.put(key, value, ttl, within).await }))
    }

    fn remove<'a>(&'a self, key: &'a Key, within: Duration) -> StoreFuture<'a, bool> {
        self.aside(Box::pin(async move { self.store.remove(key, within).await }))
    }

    fn get_all<'a>(&'a self, keys: &'a [Key], within: Duration) -> StoreFuture<'a, Vec<Option<Bytes>>> {
        let run = async move {
            let registers = self.store.get_all(keys, within).await?;
            self.note_lease(registers.first().and_then(Option::as_ref));
            Ok(registers)
        };
        self.pass(Command::GetAll, Box::pin(run))
    }

    fn remove_all<'a>(&'a self, keys: &'a [Key], within: Duration) -> StoreFuture<'a, ()> {
        let command = Command::RemoveAll { keys: keys.to_vec() };
        self.pass(command, Box::pin(async move { self.store.remove_all(keys, within).await }))
    }

    fn tag<'a>(
        &'a self,
        tags: &'a [Key],
        fresh: Head,
        ttl: Duration,
        within: Duration,
    ) -> StoreFuture<'a, Option<Vec<Head>>> {
        let command = Command::Tag { tags: tags.to_vec(), fresh, ttl };
        self.pass(command, Box::pin(async move { self.store.tag(tags, fresh, ttl, within).await }))
    }

    fn begin<'a>(
        &'a self,
        writer: Head,
        keys: &'a [Key],
        _marker: Duration,
        token: bool,
        within: Duration,
    ) -> StoreFuture<'a, ()> {
        self.desk.note_writer(self.process, writer);
        let command = Command::Begin { writer, keys: keys.to_vec(), token };
        let run = async move {
            self.marks.begins(writer, keys);
            self.store.begin(writer, keys, FOR_EVER, token, within).await
        };
        self.pass(command, Box::pin(run))
    }

    fn end<'a>(&'a self, writer: Head, written: &'a [Written], within: Duration) -> StoreFuture<'a, bool> {
        let command = Command::End { writer, written: written.to_vec() };
        let run = async move {
            self.marks.ends(writer, written);
            self.store.end(writer, written, within).await
        };
        self.pass(command, Box::pin(run))
    }

    fn sweep<'a>(&'a self, prefix: &'a str, from: Option<u64>, within: Duration) -> StoreFuture<'a, Swept> {
        self.aside(Box::pin(async move { self.store.sweep(prefix, from, within).await }))
    }

    fn ping(&self, within: Duration) -> StoreFuture<'_, ()> {
        self.aside(Box::pin(async move { self.store.ping(within).await }))
    }
}
