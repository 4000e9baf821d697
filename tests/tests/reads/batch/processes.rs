//! Batches of several processes.

use std::collections::BTreeSet;
use tests::{RedisServer, Worker};

const WORKER: &str = env!("CARGO_BIN_EXE_batch_worker");

/// Four processes, two of them in the opposite order, three batches each, whose ids overlap.
#[tokio::test]
async fn each_id_is_loaded_once_in_all_processes() {
    let server = RedisServer::start();
    let ranges = ["0..300", "400..100", "0..300", "400..100"];
    let mut workers: Vec<_> =
        ranges.iter().map(|range| Worker::start(WORKER, &server.url(), range, 3, 100, 5_000)).collect();
    workers.iter_mut().for_each(Worker::go);
    let reports: Vec<_> = workers.iter_mut().map(Worker::report).collect();
    let loads: u64 = reports.iter().map(|report| report.loads).sum();
    let loaded: BTreeSet<_> = reports.iter().flat_map(|report| &report.values).collect();
    assert_eq!((loads, loaded.len()), (400, 400), "{:?}", reports.iter().map(|at| at.loads).collect::<Vec<_>>());
    let slowest = reports.iter().map(|report| report.slowest_ms).fold(0.0, f64::max);
    assert!(slowest < 3_000.0, "waited {slowest} ms for loads of 100 ms: in a circle?");
}

/// A process is killed during its load: the other one waits until its leases end, and loads its ids.
#[tokio::test]
async fn a_process_killed_in_mid_load_is_succeeded() {
    let server = RedisServer::start();
    let mut holder = Worker::start(WORKER, &server.url(), "0..100", 1, 60_000, 1_000);
    let mut heir = Worker::start(WORKER, &server.url(), "200..50", 1, 50, 1_000);
    holder.go();
    holder.wait_until_loading();
    holder.kill();
    heir.go();
    let report = heir.report();
    assert_eq!(report.loads, 150, "{report:?}");
    assert!(report.slowest_ms < 2_000.0, "{} ms", report.slowest_ms);
}
