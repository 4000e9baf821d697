//! Invalidations while the server is stopped, frozen, or back with older data: queued, repeated, and never called
//! applied when they are not.
//!
//! An outage takes time, so two hundred rows go through one at once.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, Invalidation, Outcome};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tests::{RedisServer, Row, applied, eventually, lateness_of, patient_cache};
use tokio::sync::oneshot;

const ROWS: u64 = 200;
const WITHIN: Duration = Duration::from_secs(10);
const BUDGET: Duration = Duration::from_millis(100);
/// The time that timers may add, beside their measured lateness.
const SLACK: Duration = Duration::from_millis(60);
/// The server keeps what it has acknowledged when it is killed, because it writes before it answers. It does not wait
/// for a slow disk.
const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "no"];

fn rows() -> Vec<Arc<Row>> {
    (0..ROWS).map(Row::new).collect()
}

async fn store(rows: &[Arc<Row>], cache: &Cache) {
    for row in rows {
        assert_eq!(row.read_and_store(cache).await, row.now());
    }
}

async fn are_fresh(rows: &[Arc<Row>], cache: &Cache) {
    for row in rows {
        assert_eq!(row.read_and_store(cache).await, row.now(), "stale: {row:?}");
    }
}

/// Restarts it with the data that it had saved.
async fn restart(server: &mut RedisServer) {
    server.restart();
    let client = redis::Client::open(server.url()).unwrap();
    eventually("it has loaded its data", async || {
        let Ok(mut connection) = client.get_multiplexed_async_connection().await else { return false };
        redis::cmd("DBSIZE").query_async::<u64>(&mut connection).await.is_ok()
    })
    .await;
}

async fn exists(server: &RedisServer, row: &Row) -> bool {
    server.send(&[b"EXISTS", format!("cache:k:{}", row.key()).as_bytes()]).await
}

#[tokio::test]
async fn what_is_queued_is_not_served_here_meanwhile_and_nowhere_after() {
    let mut server = RedisServer::start_with(&DURABLE);
    let (here, rows) = (patient_cache(&server.url()), rows());
    store(&rows, &here).await;
    server.kill();
    for (row, n) in rows.iter().zip(0..) {
        row.commit();
        let outcome = match n % 4 {
            0 => here.write(row.way(n), async {}).await.1,
            _ => here.invalidate(row.way(n)).await,
        };
        assert_eq!(outcome, Outcome::Queued);
    }
    are_fresh(&rows, &here).await;
    // It comes and goes with its old data before it stays.
    for _ in 0..3 {
        server.restart();
        are_fresh(&rows, &here).await;
        server.kill();
        are_fresh(&rows, &here).await;
    }
    server.restart();
    while here.stats().pending > 0 {
        are_fresh(&rows, &here).await;
    }
    assert!(applied(&here, WITHIN).await);
    are_fresh(&rows, &patient_cache(&server.url())).await;
    are_fresh(&rows, &here).await;
}

/// The server is back with its saved data: it does not know of removals that it had acknowledged.
#[tokio::test]
async fn what_the_server_has_forgotten_is_removed_again_before_anything_is_served() {
    let mut server = RedisServer::start();
    let (here, rows) = (patient_cache(&server.url()), rows());
    store(&rows, &here).await;
    let _: () = server.send(&[b"SAVE"]).await;
    for (row, n) in rows.iter().zip(0..) {
        let outcome = if n % 2 == 0 {
            row.commit();
            here.invalidate(row.way(n)).await
        } else {
            here.write(row.way(n), async { row.commit() }).await.1
        };
        assert_eq!(outcome, Outcome::Applied);
    }
    server.kill();
    restart(&mut server).await;
    assert!(exists(&server, &rows[0]).await, "it has the older data");
    are_fresh(&rows, &here).await;
    are_fresh(&rows, &patient_cache(&server.url())).await;
}

/// Markers and tokens are lost, and others store what was there before the commit.
#[tokio::test]
async fn a_server_that_restarts_empty_between_begin_and_end() {
    let mut server = RedisServer::start();
    let (here, there, rows) = (patient_cache(&server.url()), patient_cache(&server.url()), rows());
    let mut writes = Vec::new();
    for (row, n) in rows.iter().zip(0..) {
        let (tell, has_begun) = oneshot::channel();
        let (go_on, may_commit) = oneshot::channel::<()>();
        let (here, row) = (here.clone(), Arc::clone(row));
        let write = tokio::spawn(async move {
            let body = async {
                tell.send(()).unwrap();
                may_commit.await.unwrap();
                row.commit()
            };
            here.write(row.way(n), body).await.1
        });
        has_begun.await.unwrap();
        writes.push((go_on, write));
    }
    server.kill();
    server.restart();
    let mut held = Vec::new();
    for (row, n) in rows.iter().zip(0..) {
        // Stored before the commit, or after END if nothing stood against it.
        if n % 2 == 0 {
            row.read_and_store(&there).await;
        } else {
            held.push(row.hold(&there).await);
        }
    }
    for (go_on, write) in writes {
        go_on.send(()).unwrap();
        assert_eq!(write.await.unwrap(), Outcome::Applied);
    }
    for held in held {
        held.finish().await;
    }
    are_fresh(&rows, &there).await;
    are_fresh(&rows, &here).await;
}

/// The server is killed or frozen at some moment of an invalidation. What is called applied is looked up on the server.
#[tokio::test]
async fn what_is_not_applied_is_never_called_applied() {
    let mut server = RedisServer::start_with(&DURABLE);
    let row = Row::new(1);
    let (mut applied, mut queued) = (0, 0);
    for round in 0..ROWS / 2 {
        let here = Cache::builder().namespace("cache").redis(server.url()).budget(BUDGET).build().unwrap();
        eventually("there is something to invalidate", async || {
            row.read_and_store(&here).await;
            exists(&server, &row).await
        })
        .await;
        let write = tokio::spawn({
            let (here, key) = (here.clone(), row.key());
            async move {
                let what = Invalidation::new().key(key);
                if round % 4 < 2 { here.invalidate(what).await } else { here.write(what, async {}).await.1 }
            }
        });
        // Before it is sent, while it is on its way, and after.
        for _ in 0..round % 25 {
            tokio::task::yield_now().await;
        }
        let is_killed = round % 2 == 0;
        if is_killed {
            server.kill();
        } else {
            server.freeze();
        }
        let outcome = write.await.unwrap();
        if is_killed {
            restart(&mut server).await;
        } else {
            server.thaw();
        }
        match outcome {
            Outcome::Applied => {
                applied += 1;
                assert!(!exists(&server, &row).await, "round {round}: called applied, and it stands there");
            }
            Outcome::Queued => {
                queued += 1;
                assert!(tests::applied(&here, WITHIN).await);
                assert!(!exists(&server, &row).await, "round {round}: the queue is empty, and it stands there");
            }
            other => panic!("there is a runtime: {other:?}"),
        }
    }
    assert!(applied >= 5 && queued >= 5, "{applied} applied, {queued} queued: not at every moment");
}

#[tokio::test]
async fn too_many_clear_the_namespace() {
    let mut server = RedisServer::start_with(&DURABLE);
    let here = patient_cache(&server.url());
    let other = Cache::builder().namespace("other").redis(server.url()).build().unwrap();
    for cache in [&here, &other] {
        cache.entry("row").set(&0_u64).await.unwrap();
    }
    server.kill();
    let most = 100_000_u64;
    let keys = |from: u64| (from..from + 500).fold(Invalidation::new(), |what, n| what.key(format!("key:{n}")));
    for from in (0..most).step_by(500) {
        assert_eq!(here.invalidate(keys(from)).await, Outcome::Queued);
    }
    assert_eq!(here.stats().pending, 100_000);
    assert_eq!(here.invalidate(Invalidation::new().key("one more")).await, Outcome::Queued);
    assert!(here.stats().sweeping && here.stats().pending == 1);

    restart(&mut server).await;
    let load = async || Ok::<_, ()>(1_u64);
    assert_eq!(here.entry("row").get_or_load(load).await, Ok(1), "nothing of the namespace is believed");
    assert!(applied(&here, WITHIN).await);
    // A value that this process has loaded itself may be stored by now.
    assert_ne!(patient_cache(&server.url()).entry("row").get::<u64>().await, Some(0));
    eventually("the other namespace is left alone", async || other.entry("row").get().await == Some(0_u64)).await;
}

/// The server can be read, so the old values are there for all who ask; and the connection stays.
#[tokio::test]
async fn a_server_that_refuses_to_be_written() {
    let server = RedisServer::start();
    let (here, rows) = (patient_cache(&server.url()), rows());
    store(&rows, &here).await;
    let replicas = async |number: &[u8]| {
        let _: () = server.send(&[b"CONFIG", b"SET", b"min-replicas-to-write", number]).await;
    };
    replicas(b"1").await;
    for (row, n) in rows.iter().zip(0..) {
        row.commit();
        let outcome = match n % 4 {
            0 => here.write(row.way(n), async {}).await.1,
            _ => here.invalidate(row.way(n)).await,
        };
        assert_eq!(outcome, Outcome::Queued);
    }
    assert!(exists(&server, &rows[0]).await);
    are_fresh(&rows, &here).await;
    assert!(!applied(&here, Duration::ZERO).await);
    replicas(b"0").await;
    while here.stats().pending > 0 {
        are_fresh(&rows, &here).await;
    }
    are_fresh(&rows, &patient_cache(&server.url())).await;
    are_fresh(&rows, &here).await;
}

#[tokio::test]
async fn a_frozen_server_delays_no_write_beyond_the_budget() {
    let server = RedisServer::start();
    let rows = rows();
    let most = BUDGET + BUDGET / 10 + SLACK;
    for row in &rows[..12] {
        // A cache whose breaker is closed.
        let here = Cache::builder().namespace("cache").redis(server.url()).budget(BUDGET).build().unwrap();
        row.read_and_store(&here).await;
        server.freeze();
        let began = Instant::now();
        let (outcome, late) = lateness_of(async {
            match row.now() + u64::from(row.key().len() % 2 == 0) {
                0 => here.invalidate(row.way(0)).await,
                _ => here.write(row.way(1), async { row.commit() }).await.1,
            }
        })
        .await;
        assert!(began.elapsed() < most + late, "{:?}, of which {late:?} are the machine's", began.elapsed());
        assert_eq!(outcome, Outcome::Queued);

        let has_run = AtomicBool::new(false);
        let began = Instant::now();
        let write = here.try_write(row.way(2), async { has_run.store(true, Ordering::SeqCst) });
        let (refused, late) = lateness_of(write).await;
        assert!(began.elapsed() < most + late, "{:?}, of which {late:?} are the machine's", began.elapsed());
        assert!(refused.is_err() && !has_run.into_inner(), "{refused:?}");
        row.commit();
        assert_eq!(here.invalidate(row.way(2)).await, Outcome::Queued);
        assert!(!applied(&here, Duration::ZERO).await);
        assert_eq!(row.read(&here).await, row.now());
        server.thaw();
        assert!(applied(&here, WITHIN).await);
        are_fresh(std::slice::from_ref(row), &here).await;
        are_fresh(std::slice::from_ref(row), &patient_cache(&server.url())).await;
    }
}
