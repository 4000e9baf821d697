//! Registers on a Redis server.
//!
//! The steps are plain commands and small scripts (`scripts/*.lua`).
//!
//! | | |
//! |---|---|
//! | [`link`] | the one connection that all callers share: made on first use, and again when it broke |
//! | [`reads`], [`steps`] | what comes at the same time goes out together |
//! | [`tracking`] | a second connection, on which the server tells of changes, for the near cache |
//! | [`overdue`] | a register that takes too long to read is asked for its size before it is read again |
//! | [`recent`] | what was removed within the last minute is removed again on every new connection |
//!
//! # On cancellation
//! A command that was sent is carried out, and its answer is dropped.
//!
//! # When the server is down
//! Connecting, waiting for a reconnect and the command itself share the time that the caller gives. A command whose
//! connection broke is sent once more on a new one, unless a copy that is carried out late could do harm ([`Copies`]).

mod answer;
mod beat;
mod connection;
mod fault;
mod forced;
mod gather;
mod home;
mod large;
mod merge;
mod open;
mod overdue;
mod reads;
mod recent;
mod reconnect;
mod refusal;
mod role;
mod script;
mod slots;
mod steps;
mod tracking;
mod writes;

use super::{
    Acquire, Acquired, Begin, Capabilities, Domain, Each, End, Ended, Fill, Get, GetAll, GetWatched, Key, Life, Lives,
    Ping, Put, Release, Remove, RemoveAll, Renew, Replace, Store, StoreFuture, Sweep, Swept, TagAll, Watch, Watched,
    Watcher,
};
use crate::envelope::Head;
use crate::error::{BuildError, FaultKind, StoreError};
use answer::{answer, markers, millis};
use bytes::Bytes;
use fault::Copies;
use reads::Reads;
use reconnect::Link;
use redis::{Cmd, FromRedisValue, Value};
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;
use steps::{Step, Steps};
use tokio::time::Instant;
use tracking::Tracking;
use writes::Writes;

/// A [`Store`] on a Redis server.
pub struct RedisStore {
    link: Arc<Link>,
    reads: Arc<Reads>,
    tracking: Tracking,
    acquire: Arc<Steps<AcquireStep>>,
    takeover: Arc<forced::Takeovers>,
    fill: Arc<Steps<FillStep>>,
    renew: Arc<Steps<RenewStep>>,
    release: Arc<Steps<ReleaseStep>>,
    writes: Writes,
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("address", &format_args!("{}", self.link.address())).finish_non_exhaustive()
    }
}

impl RedisStore {
    /// A store on the server at `url`, which is of a form that [`CacheBuilder::redis`](crate::CacheBuilder::redis)
    /// takes; nothing is sent yet.
    ///
    /// # Errors
    /// [`BuildError::Field`] if the URL cannot be understood, or is `rediss://` and the feature `tls` is off.
    ///
    /// ```
    /// use cached_core::store::RedisStore;
    ///
    /// assert!(RedisStore::new("redis://127.0.0.1/0").is_ok());
    /// assert!(RedisStore::new("http://127.0.0.1/").is_err());
    /// ```
    pub fn new(url: &str) -> Result<Self, BuildError> {
        let link = Link::new(url)?;
        Ok(Self {
            tracking: Tracking::new(link.client_of_pushes()?, &link),
            reads: Arc::new(Reads::new(Arc::clone(&link))),
            acquire: Arc::new(Steps::new(
                Arc::clone(&link),
                concat!(include_str!("scripts/marked.lua"), include_str!("scripts/acquire.lua")),
            )),
            takeover: Arc::new(Steps::new(Arc::clone(&link), forced::SCRIPT)),
            fill: Arc::new(Steps::new(Arc::clone(&link), include_str!("scripts/fill.lua"))),
            renew: Arc::new(Steps::new(Arc::clone(&link), include_str!("scripts/renew.lua"))),
            release: Arc::new(Steps::new(Arc::clone(&link), include_str!("scripts/release.lua"))),
            writes: Writes::new(Arc::clone(&link)),
            link,
        })
    }

    /// Closes the connections to the server. Steps under way have no answer; the next step opens a connection again.
    ///
    /// [`Cache::shutdown`](crate::Cache::shutdown) does this for a cache that was built with a URL. It does not for a
    /// store that was given to [`CacheBuilder::store`](crate::CacheBuilder::store), because other caches may share it.
    ///
    /// ```
    /// # async fn end(cache: cached_core::Cache, store: std::sync::Arc<cached_core::store::RedisStore>) {
    /// let unfinished = cache.shutdown(std::time::Duration::from_secs(5)).await;
    /// store.close();
    /// # _ = unfinished;
    /// # }
    /// ```
    pub fn close(&self) {
        self.link.close();
        self.tracking.close();
    }

    /// Reads a register that may be too large to be read; see [`overdue`].
    async fn get_overdue(&self, key: &Key, within: Duration) -> Result<Option<Bytes>, StoreError> {
        let deadline = Instant::now() + within;
        if let Some(start) = large::starts(&self.link, std::slice::from_ref(key), deadline).await?.remove(key) {
            return Ok(Some(start.into()));
        }
        let register = self.reads.get(key, deadline.saturating_duration_since(Instant::now())).await?;
        self.link.overdue().forget(std::iter::once(key));
        Ok(register)
    }

    /// Reads registers some of which may be too large to be read.
    async fn get_all_overdue(&self, keys: &[Key], within: Duration) -> Result<Each<Option<Bytes>>, StoreError> {
        let deadline = Instant::now() + within;
        let starts = large::starts(&self.link, keys, deadline).await?;
        let others: Vec<_> = keys.iter().filter(|key| !starts.contains_key(*key)).cloned().collect();
        let registers = self.reads.get_all(&others, deadline.saturating_duration_since(Instant::now())).await?;
        self.link.overdue().forget(others.iter());
        let mut registers = registers.results();
        let register = |key| match starts.get(key) {
            Some(start) => Ok(Some(start.clone().into())),
            None => registers.next().unwrap_or(Ok(None)),
        };
        Ok(keys.iter().map(register).collect())
    }

    async fn send<T: FromRedisValue>(&self, command: &Cmd, within: Duration) -> Result<T, StoreError> {
        answer(self.link.send(command, Copies::Harmless, Instant::now() + within).await?)
    }
}

/// ACQUIRE, as its script takes it.
#[derive(Debug, Clone)]
struct AcquireStep {
    key: Key,
    lease: Head,
    ttl: Duration,
    replace: Replace,
}

impl Step for AcquireStep {
    const COPIES: Copies = Copies::Never;

    fn count(&self) -> usize {
        2
    }

    fn keys(&self, command: &mut Cmd) {
        command.arg(&*self.key).arg(markers(&self.key));
    }

    fn arguments(&self, command: &mut Cmd) {
        let (flag, start) = match &self.replace {
            Replace::Nothing => ("0", &[][..]),
            Replace::Unusable(start) => ("1", &start[..]),
        };
        command.arg(self.lease.as_bytes()).arg(millis(self.ttl)).arg(flag).arg(start);
    }
}

/// FILL, as its script takes it.
#[derive(Debug, Clone)]
struct FillStep {
    key: Key,
    expected: Head,
    value: Bytes,
    ttl: Duration,
}

impl Step for FillStep {
    const COPIES: Copies = Copies::Harmless;

    fn count(&self) -> usize {
        1
    }

    fn keys(&self, command: &mut Cmd) {
        command.arg(&*self.key);
    }

    fn arguments(&self, command: &mut Cmd) {
        command.arg(self.expected.as_bytes()).arg(&self.value[..]).arg(millis(self.ttl));
    }
}

/// RENEW, as its script takes it.
#[derive(Debug, Clone)]
struct RenewStep {
    key: Key,
    lease: Head,
    ttl: Duration,
}

impl Step for RenewStep {
    const COPIES: Copies = Copies::Harmless;

    fn count(&self) -> usize {
        1
    }

    fn keys(&self, command: &mut Cmd) {
        command.arg(&*self.key);
    }

    fn arguments(&self, command: &mut Cmd) {
        command.arg(self.lease.as_bytes()).arg(millis(self.ttl));
    }
}

/// RELEASE, as its script takes it.
#[derive(Debug, Clone)]
struct ReleaseStep {
    key: Key,
    head: Head,
}

impl Step for ReleaseStep {
    const COPIES: Copies = Copies::Harmless;

    fn count(&self) -> usize {
        1
    }

    fn keys(&self, command: &mut Cmd) {
        command.arg(&*self.key);
    }

    fn arguments(&self, command: &mut Cmd) {
        command.arg(self.head.as_bytes());
    }
}

impl Store for RedisStore {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn capabilities(&self) -> Capabilities<'_> {
        Capabilities::none().with_watch(self).with_lives(self).with_forced_refresh(self)
    }

    fn domain(&self, _: &Key) -> Domain {
        Domain::FIRST
    }

    fn get<'a>(&'a self, Get { key, within }: Get<'a>) -> StoreFuture<'a, Option<Bytes>> {
        if !self.link.overdue().is_empty() {
            return Box::pin(self.get_overdue(key, within));
        }
        self.reads.get(key, within)
    }

    fn acquire<'a>(&'a self, request: Acquire<'a>) -> StoreFuture<'a, Acquired> {
        let Acquire { key, lease, ttl, replace, within } = request;
        Box::pin(async move {
            let step = AcquireStep { key: Key::clone(key), lease, ttl, replace };
            match self.acquire.take(step, Instant::now() + within).await? {
                Value::Int(0) => Ok(Acquired::Granted),
                Value::Int(-1) => Ok(Acquired::Writing),
                Value::Int(ms) => Ok(Acquired::Leased(Duration::from_millis(ms.unsigned_abs()))),
                Value::BulkString(value) => Ok(Acquired::Value(value.into())),
                other => Err(StoreError::new(FaultKind::Refused, format!("unexpected answer to ACQUIRE: {other:?}"))),
            }
        })
    }

    fn renew<'a>(&'a self, Renew { key, lease, ttl, within }: Renew<'a>) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let step = RenewStep { key: Key::clone(key), lease, ttl };
            answer(self.renew.take(step, Instant::now() + within).await?)
        })
    }

    fn fill<'a>(&'a self, Fill { key, expected, value, ttl, within }: Fill<'a>) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let step = FillStep { key: Key::clone(key), expected, value, ttl };
            answer(self.fill.take(step, Instant::now() + within).await?)
        })
    }

    fn release<'a>(&'a self, Release { key, head, within }: Release<'a>) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let step = ReleaseStep { key: Key::clone(key), head };
            answer(self.release.take(step, Instant::now() + within).await?)
        })
    }

    fn put<'a>(&'a self, Put { key, value, ttl, within }: Put<'a>) -> StoreFuture<'a, bool> {
        Box::pin(self.writes.put(key, value, ttl, Instant::now() + within))
    }

    fn remove<'a>(&'a self, Remove { key, within }: Remove<'a>) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            self.link.removes(std::iter::once(key));
            self.send(redis::cmd("UNLINK").arg(&**key), within).await
        })
    }

    fn get_all<'a>(&'a self, GetAll { keys, within }: GetAll<'a>) -> StoreFuture<'a, Each<Option<Bytes>>> {
        if !self.link.overdue().is_empty() {
            return Box::pin(self.get_all_overdue(keys, within));
        }
        self.reads.get_all(keys, within)
    }

    fn remove_all<'a>(&'a self, RemoveAll { keys, within }: RemoveAll<'a>) -> StoreFuture<'a, Each<()>> {
        Box::pin(self.writes.remove_all(keys, Instant::now() + within))
    }

    fn tag<'a>(&'a self, TagAll { tags, fresh, ttl, within }: TagAll<'a>) -> StoreFuture<'a, Each<Option<Head>>> {
        Box::pin(self.writes.tag(tags, fresh, ttl, Instant::now() + within))
    }

    fn begin<'a>(&'a self, Begin { writer, keys, marker, token, within }: Begin<'a>) -> StoreFuture<'a, Each<()>> {
        Box::pin(self.writes.begin(writer, keys, marker, token, Instant::now() + within))
    }

    fn end<'a>(&'a self, End { writer, written, within }: End<'a>) -> StoreFuture<'a, Ended> {
        Box::pin(self.writes.end(writer, written, Instant::now() + within))
    }

    fn sweep<'a>(&'a self, Sweep { prefix, from, within }: Sweep<'a>) -> StoreFuture<'a, Swept> {
        Box::pin(self.writes.sweep(prefix, from, Instant::now() + within))
    }

    fn ping(&self, Ping { within, .. }: Ping) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            match self.send::<String>(&redis::cmd("PING"), within).await {
                // A server that loads its data or asks for a password refuses PING as well. A server that only keeps
                // this user from the command is there.
                Err(error) if error.kind.is_outage() => Err(error),
                Ok(_) | Err(_) => Ok(()),
            }
        })
    }
}

impl Lives for RedisStore {
    fn life<'a>(&'a self, Life { key, within }: Life<'a>) -> StoreFuture<'a, Option<Duration>> {
        Box::pin(async move {
            // Negative: there is no register, or it lives for ever, which this library never makes.
            let ms: i64 = self.send(redis::cmd("PTTL").arg(&**key), within).await?;
            Ok(u64::try_from(ms).ok().map(Duration::from_millis))
        })
    }
}

impl Watch for RedisStore {
    fn watch(&self, watcher: Weak<dyn Watcher>) {
        self.tracking.watch(&watcher);
    }

    fn get_watched<'a>(&'a self, request: GetWatched<'a>) -> StoreFuture<'a, Option<Watched>> {
        let GetWatched { keys, timed, within } = request;
        Box::pin(self.tracking.get_watched(keys, timed, Instant::now() + within))
    }
}
