//! The connection breaks after the server received a command and before its answer came. This tests what is sent a
//! second time, and what is not, because a late copy would bring back what an invalidation has ended.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use bytes::Bytes;
use cached_core::store::{
    Acquire, Acquired, Begin, End, Fill, Get, GetAll, Head, Key, Ping, Put, RedisStore, Release, Remove, RemoveAll,
    Renew, Store, TagAll, TakenOver, Takeover, Written,
};
use cached_core::{FaultKind, StoreError};
use std::time::Duration;
use tests::{Proxy, RedisServer};

const TTL: Duration = Duration::from_secs(60);
const WITHIN: Duration = Duration::from_secs(5);

fn head(kind: u8, id: u8) -> Head {
    Head::from_bytes(&[&[kind][..], &[id; 16]].concat()).unwrap()
}

struct Subject {
    server: RedisServer,
    proxy: Proxy,
    store: RedisStore,
}

impl Subject {
    async fn new() -> Self {
        let server = RedisServer::start();
        let proxy = Proxy::to(&server).await;
        let store = RedisStore::new(&proxy.url()).unwrap();
        Self { server, proxy, store }
    }

    /// Takes a step on a key of its own, so that the connection is there and the script known, and then on `key`, on a
    /// connection that breaks. Returns what the server was sent of it, without the removals at the beginning of a new
    /// connection, and the result.
    async fn broken<T>(
        &self,
        step: impl AsyncFn(&Key) -> Result<T, StoreError>,
    ) -> (Vec<String>, Result<T, StoreError>) {
        step(&Key::from("before")).await.unwrap();
        let monitor = self.server.monitor().await;
        self.proxy.cut_at("a-certain-key");
        let answer = step(&Key::from("a-certain-key")).await;
        assert!(self.proxy.has_cut());
        // Anything late would have come before this answer.
        self.store.ping(Ping::new(WITHIN)).await.unwrap();
        let mut seen = monitor.stop(&self.server).await;
        seen.retain(|line| line.contains("a-certain-key"));
        let again = seen.iter().skip(1).position(|line| line.ends_with("\"UNLINK\" \"a-certain-key\""));
        if let Some(again) = again {
            seen.remove(1 + again);
        }
        (seen, answer)
    }

    async fn is_sent_once<T: std::fmt::Debug>(&self, step: impl AsyncFn(&Key) -> Result<T, StoreError>) {
        let (copies, answer) = self.broken(step).await;
        assert_eq!(answer.unwrap_err().kind, FaultKind::Disconnected);
        assert_eq!(copies.len(), 1, "{copies:?}");
    }

    async fn is_sent_again<T>(&self, step: impl AsyncFn(&Key) -> Result<T, StoreError>) -> T {
        let (copies, answer) = self.broken(step).await;
        assert_eq!(copies.len(), 2, "{copies:?}");
        answer.unwrap()
    }
}

#[tokio::test]
async fn a_lease_is_asked_for_once() {
    let on = Subject::new().await;
    on.is_sent_once(async |key| on.store.acquire(Acquire::new(key, head(b'L', 1), TTL, WITHIN)).await).await;
    // The caller may ask again, because it knows that it has not given up.
    let again = on.store.acquire(Acquire::new(&"a-certain-key".into(), head(b'L', 1), TTL, WITHIN)).await;
    assert_eq!(again.unwrap(), Acquired::Granted);
}

/// A late copy would bring the right to store back, after an invalidation has ended it.
#[tokio::test]
async fn a_register_is_taken_over_once() {
    let on = Subject::new().await;
    let take_over = async |key: &Key| {
        let forced = on.store.capabilities().forced_refresh().expect("it can");
        forced.take_over(Takeover::new(key, head(b'V', 2), head(b'L', 2), TTL, WITHIN)).await
    };
    on.is_sent_once(async |key| take_over(key).await).await;
    let (key, old) = (Key::from("another-certain-key"), Bytes::from([b'V'; 40].to_vec()));
    on.store.put(Put::new(&key, old, TTL, WITHIN)).await.unwrap();
    assert_eq!(take_over(&key).await.unwrap(), TakenOver::Value);
}

#[tokio::test]
async fn a_tag_is_created_once() {
    let on = Subject::new().await;
    on.is_sent_once(async |key| on.store.tag(TagAll::new(std::slice::from_ref(key), head(b'V', 1), TTL, WITHIN)).await)
        .await;
}

/// A late copy would grant the token again, and with it the right to put a value that others have overwritten since.
#[tokio::test]
async fn a_token_is_given_once() {
    let on = Subject::new().await;
    let begin = async |key: &Key, token| {
        on.store.begin(Begin::new(head(b'L', 9), std::slice::from_ref(key), TTL, WITHIN).with_token(token)).await
    };
    on.is_sent_once(async |key| begin(key, true).await).await;
    on.is_sent_again(async |key| begin(key, false).await).await.whole().unwrap();
}

#[tokio::test]
async fn reads_are_sent_again() {
    let on = Subject::new().await;
    on.store.put(Put::new(&"a-certain-key".into(), "x".into(), TTL, WITHIN)).await.unwrap();
    assert_eq!(on.is_sent_again(async |key| on.store.get(Get::new(key, WITHIN)).await).await, Some(Bytes::from("x")));
    let read = async |key: &Key| on.store.get_all(GetAll::new(&[Key::clone(key), "absent".into()], WITHIN)).await;
    assert_eq!(on.is_sent_again(read).await.whole().unwrap(), [Some(Bytes::from("x")), None]);
}

#[tokio::test]
async fn invalidations_are_sent_again() {
    let on = Subject::new().await;
    let was_there = on.is_sent_again(async |key| on.store.remove(Remove::new(key, WITHIN)).await).await;
    assert!(!was_there);
    let remove = async |key: &Key| on.store.remove_all(RemoveAll::new(&[key.clone(), "absent".into()], WITHIN)).await;
    on.is_sent_again(remove).await.whole().unwrap();
}

#[tokio::test]
async fn the_bounds_of_a_write_are_sent_again() {
    let on = Subject::new().await;
    let (writer, key) = (head(b'L', 9), Key::from("a-certain-key"));
    let begin = async |key: &Key| on.store.begin(Begin::new(writer, std::slice::from_ref(key), TTL, WITHIN)).await;
    on.is_sent_again(begin).await.whole().unwrap();
    let acquire = async || on.store.acquire(Acquire::new(&key, head(b'L', 1), TTL, WITHIN)).await.unwrap();
    assert_eq!(acquire().await, Acquired::Writing);
    let written = |key: &Key| [Written::nothing(Key::clone(key))];
    let end = async |key: &Key| on.store.end(End::new(writer, &written(key), WITHIN)).await;
    on.is_sent_again(end).await.keys.whole().unwrap();
    assert_eq!(acquire().await, Acquired::Granted);
}

#[tokio::test]
async fn harmless_steps_are_sent_again() {
    let on = Subject::new().await;
    let (lease, value) = (head(b'L', 1), Bytes::from([b'V'; 40].to_vec()));
    for key in ["before", "a-certain-key"] {
        on.store.acquire(Acquire::new(&key.into(), lease, TTL, WITHIN)).await.unwrap();
    }
    assert!(on.is_sent_again(async |key| on.store.renew(Renew::new(key, lease, TTL, WITHIN)).await).await);
    let fill = async |key: &Key| on.store.fill(Fill::new(key, lease, value.clone(), TTL, WITHIN)).await;
    assert!(on.is_sent_again(fill).await, "filled by the first copy");
    on.is_sent_again(async |key| on.store.put(Put::new(key, value.clone(), TTL, WITHIN)).await).await;
    on.is_sent_again(async |key| on.store.release(Release::new(key, lease, WITHIN)).await).await;
}

/// A user lacks the right to one of a script's commands. The server stops the script there, and what the script has
/// placed until then stays. Returns how often the server was sent the script, for two registers.
async fn scripts_without(right: &str, step: impl AsyncFn(&RedisStore, &[Key]) -> Result<(), StoreError>) -> usize {
    let server = RedisServer::start();
    let store = RedisStore::new(&server.url()).unwrap();
    let old = format!("V{}", "o".repeat(16));
    let _: () = server.send(&[b"SET", b"old", old.as_bytes(), b"PX", b"20000"]).await;
    let _: () = server.send(&[b"ACL", b"SETUSER", b"default", right.as_bytes()]).await;
    store.ping(Ping::new(WITHIN)).await.unwrap();
    let monitor = server.monitor().await;
    let error = step(&store, &["new".into(), "old".into()]).await.unwrap_err();
    assert_eq!(error.kind, FaultKind::Refused);
    let seen = monitor.stop(&server).await;
    seen.iter().filter(|line| line.contains("\"EVAL") && line.contains("\"new\"")).count()
}

#[tokio::test]
async fn what_is_sent_once_is_not_sent_again_when_a_script_was_stopped_halfway() {
    let tag = async |store: &RedisStore, tags: &[Key]| {
        store.tag(TagAll::new(tags, head(b'V', 1), TTL, WITHIN)).await.map(drop)
    };
    assert_eq!(scripts_without("-pexpire", tag).await, 1, "the stamp was placed before the other was to be extended");
    for (token, copies) in [(true, 1), (false, 2)] {
        let begin = async |store: &RedisStore, keys: &[Key]| {
            store.begin(Begin::new(head(b'L', 9), keys, TTL, WITHIN).with_token(token)).await.map(drop)
        };
        assert_eq!(scripts_without("-zadd", begin).await, copies, "with a token: {token}");
    }
}
