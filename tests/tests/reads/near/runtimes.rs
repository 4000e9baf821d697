//! The connection lives on the runtime of the first read, and the cache may outlive that runtime.

use super::patient;
use cached_core::{Cache, Outcome};
use std::time::Duration;
use tests::{KeptRows, RedisServer, Way, eventually};
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

async fn is_coherent_and_fresh(here: &Cache, there: &Cache, rows: &KeptRows) {
    rows.warm(here, Way::Shared, 1).await;
    assert_eq!(rows.write(there, 1).await, Outcome::Applied);
    eventually("it is seen", async || rows.read(here, Way::Shared, 1).await == rows.now(1)).await;
}

/// No value kept by then is served, because nobody has listened since.
#[test]
fn a_runtime_that_is_gone() {
    let server = RedisServer::start();
    let cache = || patient().redis(server.url()).build().unwrap();
    let (here, there, rows) = (cache(), cache(), KeptRows::new(8));
    for _ in 0..3 {
        let first = runtime();
        first.block_on(is_coherent_and_fresh(&here, &there, &rows));
        first.block_on(rows.warm(&here, Way::Shared, 1));
        drop(first);
        assert!(!here.stats().near.unwrap().coherent, "its connection is gone");
        assert_eq!(runtime().block_on(rows.write(&there, 1)), Outcome::Applied);
        assert_eq!(runtime().block_on(rows.read(&here, Way::Shared, 1)), rows.now(1));
    }
}

/// A runtime that stands still does not receive anything either; another one takes over.
#[test]
fn a_runtime_that_stands_still() {
    let heartbeat = Duration::from_millis(200);
    let server = RedisServer::start();
    // The connection for reads and writes stands still as well, and is replaced after some overdue answers.
    let budget = Duration::from_millis(100);
    let here = patient().near_heartbeat(heartbeat).budget(budget).redis(server.url()).build().unwrap();
    let cache = || patient().redis(server.url()).build().unwrap();
    let (still, rows) = (runtime(), KeptRows::new(8));
    still.block_on(async {
        is_coherent_and_fresh(&here, &cache(), &rows).await;
        rows.warm(&here, Way::Shared, 1).await;
    });
    let other = runtime();
    let there = cache();
    for _ in 0..3 {
        other.block_on(async {
            // Nobody receives the announcement, and nobody learns that nobody does. Only the clock shows it.
            assert_eq!(rows.write(&there, 1).await, Outcome::Applied);
            tokio::time::sleep(heartbeat + Duration::from_millis(20)).await;
            assert_eq!(rows.read(&here, Way::Shared, 1).await, rows.now(1));
            is_coherent_and_fresh(&here, &there, &rows).await;
        });
        // The former keeper finds out that it has been replaced.
        still.block_on(async { tokio::time::sleep(heartbeat).await });
    }
}
