//! Servers that refuse: the connection, a command, a register. Each refusal is recognized and reported.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::store::{Acquire, Get, Key, RedisStore, Store};
use cached_core::{BreakerState, BuildError, Cache, FaultKind, Invalidation, Outcome};
use std::time::Duration;
use tests::{Log, Proxy, RedisServer, Row, applied, eventually, patient_cache};
use tracing::Level;

const WITHIN: Duration = Duration::from_secs(10);

async fn calls(cache: &Cache, calls: u64) {
    for n in 0..calls {
        let load = async || Ok::<_, ()>(n);
        assert_eq!(cache.entry(format!("k{n}")).get_or_load(load).await, Ok(n));
    }
}

/// A connection that cannot be made is tried now and then, not by each call, and the reason names the server.
async fn is_an_outage(server: &RedisServer, user: &str, database: &str, words: &str) {
    let address = Proxy::to(server).await;
    let url = format!("{}{database}", address.url().replace("redis://", &format!("redis://{user}")));
    let cache = Cache::builder().namespace("cache").redis(&url).budget(Duration::from_secs(2)).build().unwrap();
    calls(&cache, 200).await;
    let made = address.accepted();
    assert!(made < 20, "{words}: {made} connections for 200 calls");
    assert_ne!(cache.stats().breaker, BreakerState::Closed, "{words}");
    let error = RedisStore::new(&url).unwrap().get(Get::new(&Key::from("k"), WITHIN)).await.unwrap_err();
    assert!(error.kind.is_outage() && error.message.contains(words), "{words}: {error}");
    let host = address.url().replace("redis://", "").replace('/', "");
    assert!(error.message.contains(&host), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn no_such_database() {
    is_an_outage(&RedisServer::start(), "", "99", "").await;
}

#[tokio::test]
async fn a_wrong_password() {
    let server = RedisServer::start_with(&["--requirepass", "right"]);
    is_an_outage(&server, ":secret@", "", "").await;
    is_an_outage(&server, "nobody:secret@", "", "").await;
    is_an_outage(&server, "", "", "NOAUTH").await;
}

#[tokio::test]
async fn a_user_who_may_not_choose_a_database() {
    let server = RedisServer::start_with(&["--user", "app", "on", ">secret", "~*", "+@all", "-select"]);
    is_an_outage(&server, "app:secret@", "1", "").await;
    let cache = patient_cache(&format!("redis://app:secret@127.0.0.1:{}/", server.port()));
    calls(&cache, 1).await;
    assert_eq!(cache.stats().breaker, BreakerState::Closed, "database 0 needs no SELECT");
}

#[tokio::test]
async fn too_many_clients() {
    let server = RedisServer::start_with(&["--maxclients", "1"]);
    let other = server.connection().await;
    is_an_outage(&server, "", "", "max number of clients").await;
    let address = Proxy::to(&server).await;
    let (cache, row) = (patient_cache(&address.url()), Row::new(1));
    row.read(&cache).await;
    drop(other);
    eventually("it is used as soon as there is room", async || {
        row.read_and_store(&cache).await;
        cache.stats().site("Cache::entry").unwrap().hits > 0
    })
    .await;
}

/// One register that the server refuses to remove does not keep the others from being removed.
#[tokio::test]
async fn a_register_that_is_refused_holds_up_no_others() {
    let mut server = RedisServer::start_with(&["--user", "app", "on", ">pw", "~*", "+@all"]);
    let port = server.port();
    let cache = patient_cache(&format!("redis://app:pw@127.0.0.1:{port}/"));
    let keys: Vec<String> = (0..40).map(|n| format!("row:{n}")).collect();
    let others: Vec<String> = (0..10).map(|n| format!("other:{n}")).collect();
    server.kill();
    for key in keys.iter().chain(&others) {
        assert_eq!(cache.invalidate(Invalidation::new().key(key)).await, Outcome::Queued);
    }
    server.restart_with(&["--user", "app", "on", ">pw", "~cache:k:row:*", "~{cache:k:row:*", "+@all"]);
    eventually("what may be removed is removed", async || cache.stats().pending == 10).await;
    eventually("it is used again", async || cache.entry("row:1").set(&1).await.is_ok()).await;
    assert_eq!(cache.entry("row:1").get::<i32>().await, Some(1));
    assert_eq!(cache.invalidate(Invalidation::new().key("row:1")).await, Outcome::Applied);
    let _: () = server.send(&[b"ACL", b"SETUSER", b"app", b"~*"]).await;
    assert!(applied(&cache, Duration::from_secs(30)).await);
}

#[tokio::test]
async fn a_node_that_owns_a_part_of_a_cluster_is_not_cleared_as_a_whole() {
    let server = RedisServer::start_with(&["--cluster-enabled", "yes", "--cluster-require-full-coverage", "no"]);
    let (log, _listening) = Log::listen(Level::INFO);
    server.owns_slots(0..8192).await;
    let cache = patient_cache(&server.url());
    eventually("it takes keys of its own", async || {
        for n in 0..16 {
            let _ = cache.entry(format!("k{n}")).set(&1).await;
        }
        server.send::<i64>(&[b"DBSIZE"]).await > 0
    })
    .await;
    assert!(cache.clear().await.is_err(), "the keys of other nodes are still there");
    let lines: Vec<_> = log.take().into_iter().filter(|line| line.contains("node of a Redis Cluster")).collect();
    assert_eq!(lines.len(), 1, "said once: {lines:#?}");
    assert!(lines[0].contains(&format!("127.0.0.1:{}", server.port())), "{lines:#?}");

    let server = RedisServer::cluster_node().await;
    let cache = patient_cache(&server.url());
    cache.entry("k").set(&1).await.unwrap();
    assert_eq!(cache.clear().await.unwrap(), 1);
}

/// The client cannot read a refusal that quotes binary arguments. The log still says what is missing.
#[tokio::test]
async fn a_server_that_knows_no_scripts() {
    let server = RedisServer::start_with(&["--rename-command", "EVAL", "", "--rename-command", "EVALSHA", ""]);
    let store = RedisStore::new(&server.url()).unwrap();
    let lease = cached_core::store::Head::from_bytes(&[&[b'L'][..], &[0xfe; 16]].concat()).unwrap();
    let acquired = store
        .acquire(Acquire::new(&Key::from("k"), lease, WITHIN, WITHIN).replacing(cached_core::store::Replace::Nothing))
        .await;
    let error = acquired.unwrap_err();
    assert!(error.kind == FaultKind::Refused && error.message.contains("unknown command"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_busy_says_so() {
    let server = RedisServer::start_with(&["--lua-time-limit", "10"]);
    let store = RedisStore::new(&server.url()).unwrap();
    let key = Key::from("k");
    store.get(Get::new(&key, WITHIN)).await.unwrap();
    let mut other = server.connection().await;
    let busy = tokio::spawn(async move {
        redis::cmd("EVAL").arg("while true do end").arg(0).query_async::<()>(&mut other).await.unwrap_err()
    });
    let mut kind = None;
    eventually("it is busy", async || {
        kind = store.get(Get::new(&key, WITHIN)).await.err().map(|error| error.kind);
        kind.is_some()
    })
    .await;
    assert_eq!(kind, Some(FaultKind::Busy));
    let _: () = server.send(&[b"SCRIPT", b"KILL"]).await;
    busy.await.unwrap();
}

#[test]
fn a_certificate_is_never_left_unverified() {
    let error = Cache::builder().namespace("cache").redis("rediss://127.0.0.1/#insecure").build().unwrap_err();
    assert!(matches!(error, BuildError::Field { field: "redis", .. }), "{error}");
    assert!(error.to_string().contains("`#insecure` cannot work"), "{error}");
}
