//! The contract of `Store`, checked on every store: the published suite, and what only our own stores promise.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::store::conformance::Subject;
use cached_core::store::conformance::steps::{On, TTL, WITHIN, lease};
use cached_core::store::{Acquired, Get, MemoryStore, RedisStore, Store};
use cached_core::{Clock, FaultKind};
use std::sync::Arc;
use std::time::Duration;
use tests::RedisServer;

mod contact;
mod endless;
mod on_redis;
mod several;
mod sweeps;
mod watched;

mod memory {
    cached_core::store_conformance!(super::memory().0);
}

mod redis {
    cached_core::store_conformance!(super::redis().0);
}

/// A store around another one that forwards all that the compiler asks for.
mod wrapped {
    use cached_core::store::Store;
    use std::sync::Arc;

    #[derive(Debug)]
    struct Wrapper {
        store: Arc<dyn Store>,
    }

    impl Store for Wrapper {
        tests::forward!(store: name, domain, capabilities, get, acquire, renew, fill, release, put, remove, get_all, remove_all, tag, begin, end, sweep, ping);
    }

    fn wrapped() -> super::On<super::Stage> {
        let super::On(stage) = super::memory();
        super::On(super::Stage { store: Arc::new(Wrapper { store: stage.store }), ..stage })
    }

    cached_core::store_conformance!(wrapped().0);

    /// Else the cases about it would pass without a look.
    #[test]
    fn a_wrapper_that_forwards_all_loses_nothing() {
        assert!(wrapped().can_watch() && super::memory().can_watch());
    }
}

/// A store under test, and how its time passes.
struct Stage {
    store: Arc<dyn Store>,
    clock: Clock,
    server: Option<RedisServer>,
}

fn memory() -> On<Stage> {
    let clock = Clock::manual();
    On(Stage { store: Arc::new(MemoryStore::new(1 << 20, clock.clone())), clock, server: None })
}

fn redis() -> On<Stage> {
    on_server(RedisServer::start())
}

fn on_server(server: RedisServer) -> On<Stage> {
    let store = Arc::new(RedisStore::new(&server.url()).unwrap());
    On(Stage { store, clock: Clock::manual(), server: Some(server) })
}

impl Stage {
    fn server(&self) -> &RedisServer {
        self.server.as_ref().expect("it is on a server")
    }
}

impl Subject for Stage {
    fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// A server's own clock cannot be moved.
    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        if self.server.is_some() {
            tokio::time::sleep(time + Duration::from_millis(5)).await;
        }
    }

    /// All others age as well where time can be moved.
    async fn age(&self, key: &str, by: Duration) {
        self.clock.advance(by);
        if let Some(server) = &self.server {
            let left: i64 = server.send(&[b"PTTL", key.as_bytes()]).await;
            let left = left - i64::try_from(by.as_millis()).unwrap();
            let _: i64 = server.send(&[b"PEXPIRE", key.as_bytes(), left.to_string().as_bytes()]).await;
        }
    }

    /// In memory there is no other program.
    async fn plant(&self, key: &str, value: &[u8]) {
        if let Some(server) = &self.server {
            let _: () = server.send(&[b"SET", key.as_bytes(), value]).await;
        }
    }
}

#[tokio::test]
async fn redis_says_when_another_type_stands_under_the_key_and_replaces_it() {
    let on = redis();
    let server = on.server();
    let _: i64 = server.send(&[b"RPUSH", b"k", b"item"]).await;
    let error = on.store().get(Get::new(&"k".into(), WITHIN)).await.unwrap_err();
    assert_eq!(error.kind, FaultKind::WrongType, "{error}");
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
}

#[tokio::test]
async fn redis_grants_no_lease_while_a_write_is_marked() {
    let on = redis();
    let server = on.server();
    let _: i64 = server.send(&[b"ZADD", b"{n:k:k}:w", b"99999999999999", b"writer"]).await;
    assert_eq!(on.acquire("n:k:k", lease(1), TTL).await, Acquired::Writing);
    assert_eq!(on.get("n:k:k").await, None);
}

#[tokio::test]
async fn redis_learns_its_scripts_again() {
    let on = redis();
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    let _: String = on.server().send(&[b"SCRIPT", b"FLUSH"]).await;
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
}
