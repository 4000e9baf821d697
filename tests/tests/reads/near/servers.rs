//! Changes of entries by other programs and by the server itself, and servers that do not announce changes.

use super::{Subject, patient};
use cached_core::{Cache, Outcome};
use std::time::Duration;
use tests::{KeptRows, Log, RedisServer, Way, eventually};
use tracing::Level;

#[tokio::test]
async fn whatever_another_program_does_to_an_entry_is_seen() {
    let on = Subject::redis();
    let key = Way::Shared.redis_key(1);
    let key = key.as_bytes();
    let commands: [&[&[u8]]; 9] = [
        &[b"DEL", key],
        &[b"UNLINK", key],
        &[b"SET", key, b"what no cache has written"],
        &[b"PEXPIRE", key, b"1"],
        &[b"RENAME", key, b"elsewhere"],
        &[b"MOVE", key, b"3"],
        &[b"FLUSHDB"],
        &[b"FLUSHALL"],
        &[b"EVAL", b"return redis.call('DEL', KEYS[1])", b"1", key],
    ];
    for command in commands {
        on.rows.warm(&on.here, Way::Shared, 1).await;
        on.rows.commit(1);
        let _: redis::Value = on.server().send(command).await;
        let what = String::from_utf8_lossy(command[0]);
        on.sees(Way::Shared, 1, &format!("{what} is seen")).await;
        assert!(on.here.stats().near.unwrap().coherent, "{what}");
    }
}

#[tokio::test]
async fn what_the_server_evicts_is_not_served() {
    let on = Subject::on(RedisServer::start_with(&["--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru"]));
    on.rows.warm(&on.here, Way::Shared, 1).await;
    on.rows.commit(1);
    let exists = async || on.server().send::<bool>(&[b"EXISTS", Way::Shared.redis_key(1).as_bytes()]).await;
    let (mut n, filler) = (0, vec![0; 20_000]);
    eventually("it is evicted", async || {
        for _ in 0..20 {
            n += 1;
            let _: String = on.server().send(&[b"SET", format!("filler:{n}").as_bytes(), &filler]).await;
        }
        !exists().await
    })
    .await;
    on.sees(Way::Shared, 1, "its eviction is seen").await;
}

/// A server may announce an expiry long after it is due. Meanwhile the expired value is not served.
#[tokio::test]
async fn what_the_server_is_late_to_expire_is_not_served() {
    let on = Subject::on(RedisServer::start_with(&["--enable-debug-command", "yes"]));
    let _: String = on.server().send(&[b"DEBUG", b"SET-ACTIVE-EXPIRE", b"0"]).await;
    let ttl = Duration::from_millis(400);
    let near_hits = || on.here.stats().site("brief").unwrap().near_hits;
    let mut is_kept = false;
    while !is_kept {
        on.rows.read_brief(&on.here, 1, ttl).await;
        on.here.flush().await;
        let before = near_hits();
        on.rows.read_brief(&on.here, 1, ttl).await;
        is_kept = near_hits() > before;
    }
    let version = on.rows.commit(1);
    tokio::time::sleep(ttl).await;
    assert_eq!(on.rows.read_brief(&on.here, 1, ttl).await, version);
}

/// A server that cannot remember all keys forgets some, and announces those as changed.
#[tokio::test]
async fn more_keys_than_the_server_remembers() {
    let on = Subject::on(RedisServer::start_with(&["--tracking-table-max-keys", "10"]));
    for round in 0..3 {
        for id in 0..100 {
            on.read(Way::Shared, id).await;
        }
        on.here.flush().await;
        for id in 0..100 {
            assert_eq!(on.read(Way::Shared, id).await, round);
        }
        for id in 0..100 {
            assert_eq!(on.rows.write(&on.there, id).await, Outcome::Applied);
        }
        for id in 0..100 {
            on.sees(Way::Shared, id, "a write is seen").await;
        }
    }
    let near = on.here.stats().near.unwrap();
    assert!(near.coherent, "{near:?}");
    on.rows.warm(&on.here, Way::Shared, 1).await;
}

/// It works as without a near cache, and logs so once.
async fn has_none(server: RedisServer, url: &str) {
    let (log, _listening) = Log::listen(Level::INFO);
    let mut lines = Vec::new();
    let (here, rows) = (patient().redis(url).build().unwrap(), KeptRows::new(8));
    rows.read(&here, Way::Shared, 1).await;
    here.flush().await;
    eventually("it is said", async || {
        rows.read(&here, Way::Shared, 1).await;
        lines.extend(log.take());
        !lines.is_empty()
    })
    .await;
    let connections = async || -> u64 {
        let info: String = server.send(&[b"INFO", b"stats"]).await;
        let line = info.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
        line.unwrap().trim().parse().unwrap()
    };
    let before = (connections().await, Way::Shared.stats(&here));
    for _ in 0..50 {
        assert_eq!(rows.read(&here, Way::Shared, 1).await, 0);
    }
    // Each of the two questions has a connection; the cache has none.
    let after = (connections().await, Way::Shared.stats(&here));
    assert_eq!(after.0, before.0 + 1, "it is left alone");
    assert_eq!((after.1.near_hits, after.1.hits), (0, before.1.hits + 50));
    let near = here.stats().near.unwrap();
    assert!(!near.coherent && near.entries == 0, "{near:?}");
    lines.extend(log.take());
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("WARN") && lines[0].contains("there is no near cache"), "{lines:?}");
}

#[tokio::test]
async fn a_server_that_knows_no_resp3() {
    let server = RedisServer::start_with(&["--rename-command", "HELLO", ""]);
    let url = server.url();
    has_none(server, &url).await;
}

#[tokio::test]
async fn a_user_who_may_not_be_told_of_changes() {
    let server = RedisServer::start_with(&["--user", "shop", "on", ">pw", "~*", "+@all", "-client|tracking"]);
    let url = format!("redis://shop:pw@127.0.0.1:{}/", server.port());
    has_none(server, &url).await;
}

#[tokio::test]
async fn a_user_who_may_not_ask_how_long_keys_live() {
    let server = RedisServer::start_with(&["--user", "shop", "on", ">pw", "~*", "+@all", "-pttl"]);
    let url = format!("redis://shop:pw@127.0.0.1:{}/", server.port());
    let cache: Cache = Cache::builder().namespace("cache").redis(&url).build().unwrap();
    drop(cache);
    has_none(server, &url).await;
}

/// The rights that the near cache needs beyond those of a cache without one.
#[tokio::test]
async fn a_user_who_may_only_what_the_cache_needs() {
    let rights = [
        "+get",
        "+mget",
        "+set",
        "+unlink",
        "+evalsha",
        "+eval",
        "+pttl",
        "+exists",
        "+del",
        "+pexpire",
        "+getrange",
        "+ping",
        "+client|tracking",
    ];
    let user = [&["--user", "cache", "on", ">pw", "~cache:*", "~{cache:*"][..], &rights].concat();
    let server = RedisServer::start_with(&user);
    let url = format!("redis://cache:pw@127.0.0.1:{}/", server.port());
    let (here, there) = (patient().redis(&url).build().unwrap(), patient().redis(&url).build().unwrap());
    let rows = KeptRows::new(8);
    for way in [Way::Shared, Way::Cloned] {
        rows.warm(&here, way, 1).await;
        rows.commit(1);
        there.entry(way.key(1)).remove().await.unwrap();
        eventually("it is seen", async || rows.read(&here, way, 1).await == rows.now(1)).await;
    }
}

#[tokio::test]
async fn a_unix_socket_and_a_database_number() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("redis.sock");
    let server = RedisServer::start_with(&["--unixsocket", socket.to_str().unwrap()]);
    for url in [format!("unix://{}", socket.display()), format!("{}5", server.url())] {
        let (here, there) = (patient().redis(&url).build().unwrap(), patient().redis(&url).build().unwrap());
        let rows = KeptRows::new(8);
        rows.warm(&here, Way::Shared, 1).await;
        assert_eq!(rows.write(&there, 1).await, Outcome::Applied);
        eventually("it is seen", async || rows.read(&here, Way::Shared, 1).await == 1).await;
    }
}

/// When the last cache goes, so does the connection.
#[tokio::test]
async fn no_connection_outlives_its_cache() {
    let on = Subject::redis();
    let Subject { here, rows, server: Some(server), .. } = on else { panic!("it is on a server") };
    rows.warm(&here, Way::Shared, 1).await;
    let listeners = async || {
        let clients: String = server.send(&[b"CLIENT", b"LIST"]).await;
        clients.lines().filter(|client| client.contains("flags=t")).count()
    };
    assert_eq!(listeners().await, 1);
    drop(here);
    let began = std::time::Instant::now();
    eventually("it is closed", async || listeners().await == 0).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}
