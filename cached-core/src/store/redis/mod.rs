//! Registers on a Redis server.
//!
//! Plain commands and four small scripts (`scripts/*.lua`, sent in full once and by EVALSHA from then on, unless the
//! server does not know them any more). One multiplexed connection, made on first use and again when it broke; see [`link`]. Reads that come together go out together; see
//! [`reads`].
//!
//! # On cancellation
//! A command that was sent is carried out; its answer is dropped.
//!
//! # When the server is down
//! Connecting, waiting for a reconnect and the command itself share the time the caller gives. A command whose
//! connection broke is sent once more on a new one: all of them may be carried out twice.

mod fault;
mod link;
mod merge;
mod reads;

use super::{Acquired, Key, Replace, Store, StoreFuture};
use crate::envelope::Head;
use crate::error::{BuildError, FaultKind, StoreError};
use bytes::Bytes;
use link::Link;
use reads::Reads;
use redis::{Cmd, FromRedisValue, Value};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// A [`Store`] on a Redis server. One multiplexed connection, made on first use and again whenever it broke.
///
/// ```
/// use cached_core::Cache;
/// use cached_core::store::RedisStore;
/// use std::sync::Arc;
///
/// let cache = Cache::builder().store(Arc::new(RedisStore::new("redis://127.0.0.1/")?)).build()?;
/// # Ok::<(), cached_core::BuildError>(())
/// ```
pub struct RedisStore {
    link: Arc<Link>,
    reads: Arc<Reads>,
    acquire: Script,
    fill: Script,
    renew: Script,
    release: Script,
}

/// A script and the digest by which the server knows it.
struct Script {
    source: &'static str,
    digest: String,
    /// Whether it was sent in full by this process.
    sent: AtomicBool,
}

impl Script {
    fn new(source: &'static str) -> Self {
        Self { source, digest: redis::Script::new(source).get_hash().to_owned(), sent: AtomicBool::new(false) }
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("address", &self.link.address()).finish_non_exhaustive()
    }
}

impl RedisStore {
    /// A store on the server at `url`, which is of a form that [`CacheBuilder::redis`](crate::CacheBuilder::redis) takes;
    /// nothing is sent yet.
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
        let link = Arc::new(Link::new(url)?);
        Ok(Self {
            reads: Arc::new(Reads::new(Arc::clone(&link))),
            link,
            acquire: Script::new(include_str!("scripts/acquire.lua")),
            fill: Script::new(include_str!("scripts/fill.lua")),
            renew: Script::new(include_str!("scripts/renew.lua")),
            release: Script::new(include_str!("scripts/release.lua")),
        })
    }

    async fn send<T: FromRedisValue>(&self, command: &Cmd, within: Duration) -> Result<T, StoreError> {
        let value = self.link.send(command, Instant::now() + within).await?;
        T::from_redis_value(value).map_err(|error| StoreError::new(FaultKind::Refused, error.to_string()))
    }

    /// Runs a script; its source travels only if the server does not know it.
    async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        arguments: impl Fn(&mut Cmd),
        within: Duration,
    ) -> Result<T, StoreError> {
        let command = |name, script: &str| {
            let mut command = redis::cmd(name);
            command.arg(script);
            arguments(&mut command);
            command
        };
        let deadline = Instant::now() + within;
        let in_full = || command("EVAL", script.source);
        let answer = if script.sent.swap(true, Ordering::Relaxed) {
            match self.link.send(&command("EVALSHA", &script.digest), deadline).await {
                Err(fault) if fault.is_unknown_script => self.link.send(&in_full(), deadline).await,
                answer => answer,
            }
        } else {
            self.link.send(&in_full(), deadline).await
        };
        T::from_redis_value(answer?).map_err(|error| StoreError::new(FaultKind::Refused, error.to_string()))
    }
}

/// The markers of writes in progress on `key`, in the same slot of a cluster. No template renders a key of that form: it
/// has one pair of braces at most, and none in front of the namespace.
fn markers(key: &str) -> String {
    let has_hash_tag = key.find('{').is_some_and(|open| key[open + 1..].find('}').is_some_and(|len| len > 0));
    if has_hash_tag { format!("{key}:{{w}}") } else { format!("{{{key}}}:w") }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

impl Store for RedisStore {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn get<'a>(&'a self, key: &'a Key, within: Duration) -> StoreFuture<'a, Option<Bytes>> {
        self.reads.get(key, within)
    }

    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        lease: Head,
        ttl: Duration,
        replace: Replace,
        within: Duration,
    ) -> StoreFuture<'a, Acquired> {
        Box::pin(async move {
            let (flag, start) = match &replace {
                Replace::Nothing => ("0", &[][..]),
                Replace::Unusable(start) => ("1", &start[..]),
            };
            let arguments = |command: &mut Cmd| {
                command.arg(2).arg(&**key).arg(markers(key));
                command.arg(lease.as_bytes()).arg(millis(ttl)).arg(flag).arg(start);
            };
            match self.run(&self.acquire, arguments, within).await? {
                Value::Int(0) => Ok(Acquired::Granted),
                Value::Int(-1) => Ok(Acquired::Writing),
                Value::Int(ms) => Ok(Acquired::Leased(Duration::from_millis(ms.unsigned_abs()))),
                Value::BulkString(value) => Ok(Acquired::Value(value.into())),
                other => Err(StoreError::new(FaultKind::Refused, format!("unexpected answer to ACQUIRE: {other:?}"))),
            }
        })
    }

    fn renew<'a>(&'a self, key: &'a Key, lease: Head, ttl: Duration, within: Duration) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let arguments = |command: &mut Cmd| {
                command.arg(1).arg(&**key).arg(lease.as_bytes()).arg(millis(ttl));
            };
            self.run(&self.renew, arguments, within).await
        })
    }

    fn fill<'a>(
        &'a self,
        key: &'a Key,
        expected: Head,
        value: Bytes,
        ttl: Duration,
        within: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let arguments = |command: &mut Cmd| {
                command.arg(1).arg(&**key).arg(expected.as_bytes()).arg(&value[..]).arg(millis(ttl));
            };
            self.run(&self.fill, arguments, within).await
        })
    }

    fn release<'a>(&'a self, key: &'a Key, lease: Head, within: Duration) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let arguments = |command: &mut Cmd| {
                command.arg(1).arg(&**key).arg(lease.as_bytes());
            };
            self.run(&self.release, arguments, within).await
        })
    }

    fn put<'a>(&'a self, key: &'a Key, value: Bytes, ttl: Duration, within: Duration) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.send(redis::cmd("SET").arg(&**key).arg(&value[..]).arg("PX").arg(millis(ttl)), within).await
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, within: Duration) -> StoreFuture<'a, bool> {
        Box::pin(async move { self.send(redis::cmd("UNLINK").arg(&**key), within).await })
    }

    fn ping(&self, within: Duration) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            match self.send::<String>(&redis::cmd("PING"), within).await {
                // A server that is loading or asks for a password refuses it as well; one that only keeps this user
                // from this command is there.
                Err(error) if error.kind.is_outage() => Err(error),
                Ok(_) | Err(_) => Ok(()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::markers;

    #[test]
    fn markers_stand_in_the_slot_of_their_key() {
        assert_eq!(markers("n:v1:user:1"), "{n:v1:user:1}:w");
        assert_eq!(markers("n:v1:{user:1}:x"), "n:v1:{user:1}:x:{w}");
    }
}
