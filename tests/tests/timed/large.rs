//! One register that is too large to be read in time takes the cache away from nobody: it is replaced, and the others
//! hit.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::store::{Get, GetAll, Key, Put, RedisStore, Store};
use cached_core::{BreakerState, ByHand, Cache, CacheEvent, Entry, FaultKind, Untyped};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tests::{RedisServer, eventually};

/// Bytes of junk: far more than can be read within the budget.
const JUNK: usize = 64 << 20;
const BUDGET: Duration = Duration::from_millis(25);

#[derive(Debug, Clone, Copy, CacheEvent)]
struct Changed {
    id: u64,
}

struct Subject {
    server: RedisServer,
    cache: Cache,
    loads: AtomicU64,
}

impl Subject {
    fn new() -> Self {
        let server = RedisServer::start();
        let cache = Cache::builder()
            .namespace("cache")
            .redis(server.url())
            .budget(BUDGET)
            .max_value_bytes(64 << 20)
            .build()
            .unwrap();
        Self { server, cache, loads: AtomicU64::new(0) }
    }

    async fn plant(&self, key: &str) {
        // The server takes some time for this.
        let patient = redis::AsyncConnectionConfig::new().set_response_timeout(None);
        let client = redis::Client::open(self.server.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection_with_config(&patient).await.unwrap();
        redis::cmd("SETRANGE").arg(key).arg(JUNK).arg("x").query_async::<()>(&mut connection).await.unwrap();
    }

    async fn call(&self, entry: Entry<Untyped, ByHand>) {
        let load = async || Ok::<_, ()>(self.loads.fetch_add(1, Ordering::SeqCst));
        entry.get_or_load(load).await.unwrap();
        self.cache.flush().await;
    }

    fn hits(&self) -> u64 {
        self.cache.stats().site("Cache::entry").map_or(0, |site| site.hits)
    }

    async fn hits_again(&self, what: &str, call: impl AsyncFn()) {
        eventually(what, async || {
            let before = self.hits();
            call().await;
            self.hits() > before
        })
        .await;
        eventually("the breaker is closed", async || {
            call().await;
            self.cache.stats().breaker == BreakerState::Closed
        })
        .await;
    }
}

#[tokio::test]
async fn junk_under_an_entry() {
    let on = Subject::new();
    on.plant("cache:k:large").await;
    on.hits_again("it is replaced", async || on.call(on.cache.entry("large")).await).await;
    assert!(on.server.send::<usize>(&[b"STRLEN", b"cache:k:large"]).await < 100);
    on.hits_again("the others hit", async || on.call(on.cache.entry("small")).await).await;
}

#[tokio::test]
async fn junk_under_the_register_of_an_event() {
    let on = Subject::new();
    let call = async || on.call(on.cache.entry("tagged").invalidate_on(&Changed { id: 1 })).await;
    on.hits_again("it hits", call).await;
    let keys: Vec<String> = on.server.send(&[b"KEYS", b"cache:t:*"]).await;
    let events: Vec<String> = on.server.send(&[b"KEYS", b"cache:e:*"]).await;
    for key in keys.iter().chain(&events) {
        let _: i64 = on.server.send(&[b"UNLINK", key.as_bytes()]).await;
        on.plant(key).await;
        on.hits_again("it is replaced", call).await;
    }
    assert!(!events.is_empty());
}

/// A value of the cache's own that is too large to be read within the budget is loaded, and takes nothing from the
/// others.
#[tokio::test]
async fn a_value_of_ones_own() {
    let on = Subject::new();
    let load = async || Ok::<_, ()>("x".repeat(16 << 20));
    for _ in 0..4 {
        on.cache.entry("large").get_or_load(load).await.unwrap();
        on.cache.flush().await;
    }
    on.hits_again("the others hit", async || on.call(on.cache.entry("small")).await).await;
    for _ in 0..2 {
        on.cache.entry("large").get_or_load(load).await.unwrap();
        on.call(on.cache.entry("small")).await;
    }
    on.hits_again("the others hit", async || on.call(on.cache.entry("small")).await).await;
}

/// Enough time for any answer, once the server runs.
const AMPLE: Duration = Duration::from_secs(10);

/// The server stands still for as long as these reads take, one after the other.
async fn stands_still_for(server: &RedisServer, reads: usize, store: &RedisStore, keys: &[Key]) {
    server.freeze();
    for _ in 0..reads {
        let late = match keys {
            [key] => store.get(Get::new(key, BUDGET)).await.map(|_| ()),
            keys => store.get_all(GetAll::new(keys, BUDGET)).await.map(|_| ()),
        };
        assert_eq!(late.unwrap_err().kind, FaultKind::Timeout);
    }
    server.thaw();
}

/// How often each of these commands was sent.
fn counts<const N: usize>(seen: &[String], words: [&str; N]) -> [usize; N] {
    words.map(|word| seen.iter().filter(|line| line.contains(&format!("] \"{word}\""))).count())
}

/// A pause of the server says nothing about the registers that a batch was reading. After the second pause their sizes
/// are asked for together, once.
#[tokio::test]
async fn a_batch_that_was_late_is_a_batch_again() {
    let server = RedisServer::start();
    let store = RedisStore::new(&server.url()).unwrap();
    let keys: Vec<Key> = (0..300).map(|id| Key::from(format!("k:{id}"))).collect();
    for key in &keys {
        store.put(Put::new(key, "x".into(), AMPLE * 6, AMPLE)).await.unwrap();
    }
    for (pauses, sizes) in [(1, 0), (2, keys.len())] {
        stands_still_for(&server, pauses, &store, &keys).await;
        let _: String = server.send(&[b"PING"]).await;
        let monitor = server.monitor().await;
        for _ in 0..2 {
            let registers = store.get_all(GetAll::new(&keys, AMPLE)).await.unwrap().whole().unwrap();
            assert!(registers.iter().all(|register| register.as_deref() == Some(b"x")));
        }
        let seen = monitor.stop(&server).await;
        assert_eq!(counts(&seen, ["GETRANGE", "GET"]), [sizes, 0], "after {pauses} late reads");
    }
}

/// In a batch that was late twice, only a large register is unusable. A register of another type is absent, as ever.
#[tokio::test]
async fn only_the_large_ones_of_a_batch_are_unusable() {
    let server = RedisServer::start();
    let store = RedisStore::new(&server.url()).unwrap();
    let keys: Vec<Key> = ["small", "large", "list", "absent", "large"].map(Key::from).into();
    store.put(Put::new(&keys[0], "x".into(), AMPLE * 6, AMPLE)).await.unwrap();
    store.put(Put::new(&keys[1], vec![1; 2 << 20].into(), AMPLE * 6, AMPLE)).await.unwrap();
    let _: i64 = server.send(&[b"RPUSH", b"list", b"x"]).await;
    stands_still_for(&server, 2, &store, &keys).await;
    let registers = store.get_all(GetAll::new(&keys, AMPLE)).await.unwrap().whole().unwrap();
    let lengths: Vec<_> = registers.iter().map(|register| register.as_deref().map(<[u8]>::len)).collect();
    assert_eq!(lengths, [Some(1), Some(64), None, None, Some(64)]);
}

/// A sound value that is large, and was late only because the server was, hits again.
#[tokio::test]
async fn a_large_value_that_was_late_once_is_read_again() {
    let server = RedisServer::start();
    let store = RedisStore::new(&server.url()).unwrap();
    let key = Key::from("large");
    store.put(Put::new(&key, vec![1; 2 << 20].into(), AMPLE * 6, AMPLE)).await.unwrap();
    for _ in 0..2 {
        stands_still_for(&server, 1, &store, std::slice::from_ref(&key)).await;
        let register = store.get(Get::new(&key, AMPLE)).await.unwrap().unwrap();
        assert_eq!(register.len(), 2 << 20);
    }
}
