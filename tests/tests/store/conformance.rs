//! The contract of `Store`, checked on every store.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use bytes::Bytes;
use cached_core::store::{
    Acquire, Acquired, Begin, End, Fill, Get, GetAll, Head, Key, MemoryStore, Ping, Put, RedisStore, Release, Remove,
    RemoveAll, Renew, Replace, Store, Sweep, Swept, Tag, Written,
};
use cached_core::{Clock, FaultKind};
use std::sync::Arc;
use std::time::Duration;
use tests::{RedisServer, eventually};

macro_rules! on_every_store {
    ($($name:ident)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::conformance::Subject::memory()).await;
            })*
        }
        mod redis {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::conformance::Subject::redis()).await;
            })*
        }
    };
}

mod brackets;
mod contact;
mod endless;
mod on_redis;
mod several;
mod sweeps;
mod tokens;
mod watched;

const TTL: Duration = Duration::from_secs(60);
const WITHIN: Duration = Duration::from_secs(5);

/// A store under test, and how its time passes.
struct Subject {
    store: Arc<dyn Store>,
    clock: Clock,
    server: Option<RedisServer>,
}

impl Subject {
    fn memory() -> Self {
        let clock = Clock::manual();
        Self { store: Arc::new(MemoryStore::new(1 << 20, clock.clone())), clock, server: None }
    }

    fn redis() -> Self {
        Self::on(RedisServer::start())
    }

    fn on(server: RedisServer) -> Self {
        let store = Arc::new(RedisStore::new(&server.url()).unwrap());
        Self { store, clock: Clock::manual(), server: Some(server) }
    }

    fn server(&self) -> &RedisServer {
        self.server.as_ref().expect("it is on a server")
    }

    async fn get(&self, key: &str) -> Option<Bytes> {
        self.store.get(Get::new(&key.into(), WITHIN)).await.unwrap()
    }

    async fn acquire(&self, key: &str, lease: Head, ttl: Duration) -> Acquired {
        self.store.acquire(Acquire::new(&key.into(), lease, ttl, WITHIN)).await.unwrap()
    }

    async fn fill(&self, key: &str, expected: Head, value: &Bytes) -> bool {
        self.store.fill(Fill::new(&key.into(), expected, value.clone(), TTL, WITHIN)).await.unwrap()
    }

    async fn put(&self, key: &str, value: &[u8]) {
        assert!(self.try_put(key, value).await, "somebody writes {key}");
    }

    async fn try_put(&self, key: &str, value: &[u8]) -> bool {
        self.store.put(Put::new(&key.into(), Bytes::copy_from_slice(value), TTL, WITHIN)).await.unwrap()
    }

    /// Another program writes without regard to markers. In memory there is no other program.
    async fn plant(&self, key: &str, value: &[u8]) {
        if let Some(server) = &self.server {
            let _: () = server.send(&[b"SET", key.as_bytes(), value]).await;
        }
    }

    async fn get_all(&self, keys: &[&str]) -> Vec<Option<Bytes>> {
        self.store.get_all(GetAll::new(&all(keys), WITHIN)).await.unwrap()
    }

    async fn remove(&self, key: &str) -> bool {
        self.store.remove(Remove::new(&key.into(), WITHIN)).await.unwrap()
    }

    async fn remove_all(&self, keys: &[&str]) {
        self.store.remove_all(RemoveAll::new(&all(keys), WITHIN)).await.unwrap();
    }

    async fn tag(&self, tags: &[&str], fresh: Head) -> Option<Vec<Head>> {
        self.store.tag(Tag::new(&all(tags), fresh, TTL, WITHIN)).await.unwrap()
    }

    async fn begin(&self, writer: Head, keys: &[&str], marker: Duration) {
        self.store.begin(Begin::new(writer, &all(keys), marker, WITHIN)).await.unwrap();
    }

    async fn begin_with_token(&self, writer: Head, keys: &[&str], marker: Duration) {
        self.store.begin(Begin::new(writer, &all(keys), marker, WITHIN).with_token(true)).await.unwrap();
    }

    async fn end(&self, writer: Head, keys: &[&str]) {
        let written: Vec<_> = keys.iter().map(|key| Written::nothing(Key::from(*key))).collect();
        assert!(!self.store.end(End::new(writer, &written, WITHIN)).await.unwrap(), "there was nothing to put");
    }

    /// END, with something to put under each key that has a value here.
    async fn end_with(&self, writer: Head, written: &[(&str, Option<&Bytes>)]) -> bool {
        let written = written.iter().map(|(key, value)| match value {
            Some(value) => Written::value(Key::from(*key), (*value).clone(), TTL),
            None => Written::nothing(Key::from(*key)),
        });
        let written: Vec<_> = written.collect();
        self.store.end(End::new(writer, &written, WITHIN)).await.unwrap()
    }

    /// All stretches of a sweep. Returns how many registers it removed.
    async fn sweep(&self, prefix: &str) -> u64 {
        let (mut from, mut all) = (None, 0);
        loop {
            let Swept { next, removed, .. } = self.store.sweep(Sweep::new(prefix, WITHIN).from(from)).await.unwrap();
            all += removed;
            match next {
                Some(next) => from = Some(next),
                None => return all,
            }
        }
    }

    /// Lets this much time pass. A server's own clock cannot be moved.
    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        if self.server.is_some() {
            tokio::time::sleep(time + Duration::from_millis(5)).await;
        }
    }

    /// Lets `time` pass and waits until the register is gone.
    async fn expires(&self, key: &str, time: Duration) {
        self.clock.advance(time);
        eventually("the register expires", async || self.get(key).await.is_none()).await;
    }
}

fn lease(id: u8) -> Head {
    Head::from_bytes(&[&[b'L'][..], &[id; 16]].concat()).unwrap()
}

fn all(keys: &[&str]) -> Vec<Key> {
    keys.iter().map(|key| Key::from(*key)).collect()
}

fn value(stamp: u8, payload: &str) -> (Head, Bytes) {
    let bytes = [&[b'V'][..], &[stamp; 16], payload.as_bytes()].concat();
    (Head::from_bytes(&bytes).unwrap(), bytes.into())
}

async fn a_register_is_absent_leased_or_a_value(on: Subject) {
    assert_eq!(on.get("k").await, None);
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    assert_eq!(on.get("k").await.unwrap(), lease(1).as_bytes());
    let (_, bytes) = value(1, "payload");
    assert!(on.fill("k", lease(1), &bytes).await);
    assert_eq!(on.get("k").await.unwrap(), bytes);
    assert_eq!(on.acquire("k", lease(2), TTL).await, Acquired::Value(bytes));
}

async fn one_lease_at_a_time(on: Subject) {
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    let Acquired::Leased(left) = on.acquire("k", lease(2), TTL).await else { panic!("a second lease") };
    assert!(left <= TTL && left > TTL / 2, "{left:?} are left of {TTL:?}");
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted, "asking again after a broken connection");
    assert!(!on.store.release(Release::new(&"k".into(), lease(2), WITHIN)).await.unwrap(), "someone else's lease");
    assert!(on.store.release(Release::new(&"k".into(), lease(1), WITHIN)).await.unwrap());
    assert_eq!(on.acquire("k", lease(2), TTL).await, Acquired::Granted);
}

async fn a_value_is_released_by_its_own_head_only(on: Subject) {
    let ((old, first), (new, second)) = (value(1, "first"), value(2, "second"));
    on.put("k", &first).await;
    assert!(!on.store.release(Release::new(&"k".into(), new, WITHIN)).await.unwrap(), "another value's");
    assert!(!on.store.release(Release::new(&"k".into(), lease(1), WITHIN)).await.unwrap(), "a lease's");
    assert_eq!(on.get("k").await.unwrap(), first);
    assert!(on.store.release(Release::new(&"k".into(), old, WITHIN)).await.unwrap());
    assert_eq!(on.get("k").await, None);
    assert!(!on.store.release(Release::new(&"k".into(), old, WITHIN)).await.unwrap(), "gone by then");
    on.put("k", &second).await;
    assert!(!on.store.release(Release::new(&"k".into(), old, WITHIN)).await.unwrap());
    assert_eq!(on.get("k").await.unwrap(), second, "a newer value stays");
}

async fn a_lease_dies_with_its_holder_and_lives_while_it_is_renewed(on: Subject) {
    let short = Duration::from_millis(80);
    assert_eq!(on.acquire("k", lease(1), short).await, Acquired::Granted);
    assert!(on.store.renew(Renew::new(&"k".into(), lease(1), TTL, WITHIN)).await.unwrap());
    assert!(!on.store.renew(Renew::new(&"k".into(), lease(2), TTL, WITHIN)).await.unwrap(), "someone else's lease");
    let Acquired::Leased(left) = on.acquire("k", lease(2), TTL).await else { panic!("the renewed lease is gone") };
    assert!(left > short, "renewed to {left:?}");

    assert_eq!(on.acquire("other", lease(3), short).await, Acquired::Granted);
    on.expires("other", short).await;
    let (_, bytes) = value(1, "late");
    assert!(!on.fill("other", lease(3), &bytes).await, "its lease is over");
    assert!(!on.store.renew(Renew::new(&"other".into(), lease(3), TTL, WITHIN)).await.unwrap());
    assert_eq!(on.get("other").await, None);
}

async fn whatever_removes_the_register_revokes_the_fill(on: Subject) {
    let (_, bytes) = value(1, "old");
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    assert!(on.store.remove(Remove::new(&"k".into(), WITHIN)).await.unwrap());
    assert!(!on.fill("k", lease(1), &bytes).await);
    assert_eq!(on.get("k").await, None);

    // The same with another load on its way since then: that load wins.
    assert_eq!(on.acquire("k", lease(2), TTL).await, Acquired::Granted);
    assert!(!on.fill("k", lease(1), &bytes).await);
    let (_, new) = value(2, "new");
    assert!(on.fill("k", lease(2), &new).await);
    assert_eq!(on.get("k").await.unwrap(), new);
    assert!(!on.store.remove(Remove::new(&"absent".into(), WITHIN)).await.unwrap());
}

async fn a_fill_compares_with_the_stamp_it_saw(on: Subject) {
    let (old_head, old) = value(1, "old");
    let (new_head, new) = value(2, "new");
    on.put("k", &old).await;
    assert!(on.fill("k", old_head, &new).await, "a refresh of what was seen");
    assert!(on.fill("k", old_head, &new).await, "sent twice because of a broken connection");
    assert!(!on.fill("k", old_head, &value(3, "newer").1).await);
    assert!(on.fill("k", new_head, &value(3, "newer").1).await);
}

async fn an_unusable_register_is_replaced_and_no_other(on: Subject) {
    for unusable in [&b""[..], b"x", b"Vtruncated", b"a foreign value of more than seventeen bytes"] {
        on.put("k", unusable).await;
        let replace = Replace::unusable(&Bytes::copy_from_slice(unusable));
        let other = Replace::unusable(&Bytes::from_static(b"not what stands there"));
        let kept = on.store.acquire(Acquire::new(&"k".into(), lease(9), TTL, WITHIN).replacing(other)).await.unwrap();
        assert_eq!(kept, Acquired::Value(Bytes::copy_from_slice(unusable)));
        let taken = on
            .store
            .acquire(Acquire::new(&"k".into(), lease(1), TTL, WITHIN).replacing(replace.clone()))
            .await
            .unwrap();
        assert_eq!(taken, Acquired::Granted, "{unusable:?}");
        let (_, good) = value(1, "good");
        assert!(on.fill("k", lease(1), &good).await);
        let kept = on.store.acquire(Acquire::new(&"k".into(), lease(2), TTL, WITHIN).replacing(replace)).await.unwrap();
        assert_eq!(kept, Acquired::Value(good), "a good value came in between");
    }
}

async fn a_lease_is_replaced_by_whoever_names_it(on: Subject) {
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    let replaces = async |old: Head, new: Head| {
        let replace = Replace::unusable(old.as_bytes());
        on.store.acquire(Acquire::new(&"k".into(), new, TTL, WITHIN).replacing(replace)).await.unwrap()
    };
    assert!(matches!(replaces(lease(9), lease(2)).await, Acquired::Leased(_)), "it is another one");
    assert_eq!(replaces(lease(1), lease(2)).await, Acquired::Granted);
    assert!(matches!(replaces(lease(1), lease(3)).await, Acquired::Leased(_)), "it is gone already");
    let (_, bytes) = value(1, "x");
    assert!(!on.fill("k", lease(1), &bytes).await, "its load has come to nothing");
    assert!(on.fill("k", lease(2), &bytes).await);
}

async fn values_expire(on: Subject) {
    let (_, bytes) = value(1, "x");
    on.store.put(Put::new(&"k".into(), bytes, Duration::from_millis(50), WITHIN)).await.unwrap();
    assert!(on.get("k").await.is_some());
    on.expires("k", Duration::from_millis(50)).await;
}

async fn any_bytes_survive(on: Subject) {
    let all: Vec<u8> = (0..=255).collect();
    on.put("k\u{fc}", &all).await;
    assert_eq!(on.get("k\u{fc}").await.unwrap(), all);
    on.store.ping(Ping::new(WITHIN)).await.unwrap();
}

on_every_store! {
    a_register_is_absent_leased_or_a_value
    one_lease_at_a_time
    a_value_is_released_by_its_own_head_only
    a_lease_dies_with_its_holder_and_lives_while_it_is_renewed
    whatever_removes_the_register_revokes_the_fill
    a_fill_compares_with_the_stamp_it_saw
    an_unusable_register_is_replaced_and_no_other
    a_lease_is_replaced_by_whoever_names_it
    values_expire
    any_bytes_survive
}

#[tokio::test]
async fn redis_says_when_another_type_stands_under_the_key_and_replaces_it() {
    let on = Subject::redis();
    let server = on.server.as_ref().unwrap();
    let _: i64 = server.send(&[b"RPUSH", b"k", b"item"]).await;
    let error = on.store.get(Get::new(&"k".into(), WITHIN)).await.unwrap_err();
    assert_eq!(error.kind, FaultKind::WrongType, "{error}");
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
}

#[tokio::test]
async fn redis_grants_no_lease_while_a_write_is_marked() {
    let on = Subject::redis();
    let server = on.server.as_ref().unwrap();
    let _: i64 = server.send(&[b"ZADD", b"{n:k:k}:w", b"99999999999999", b"writer"]).await;
    assert_eq!(on.acquire("n:k:k", lease(1), TTL).await, Acquired::Writing);
    assert_eq!(on.get("n:k:k").await, None);
}

#[tokio::test]
async fn redis_learns_its_scripts_again() {
    let on = Subject::redis();
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    let _: String = on.server.as_ref().unwrap().send(&[b"SCRIPT", b"FLUSH"]).await;
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
}
