//! Several processes on one key: one load in all, and nobody waits for the dead.

use std::time::{Duration, Instant};
use tests::{RedisServer, Report, Worker, client_of};

const WORKER: &str = env!("CARGO_BIN_EXE_worker");
const KEY: &str = "the key";

fn all(reports: &[Report]) -> (u64, f64, Vec<&String>) {
    let mut values: Vec<_> = reports.iter().flat_map(|report| &report.values).collect();
    values.sort();
    values.dedup();
    let slowest = reports.iter().map(|report| report.slowest_ms).fold(0.0, f64::max);
    (reports.iter().map(|report| report.loads).sum(), slowest, values)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_with_250_callers_each_load_once() {
    let server = RedisServer::start();
    let mut workers: Vec<_> = (0..4).map(|_| Worker::start(WORKER, &server.url(), KEY, 250, 50, 3_000)).collect();
    let monitor = server.monitor().await;
    workers.iter_mut().for_each(Worker::go);
    let reports: Vec<_> = workers.iter_mut().map(Worker::report).collect();
    let commands = monitor.stop(&server).await;
    let (loads, slowest_ms, values) = all(&reports);
    assert_eq!(loads, 1, "{reports:?}");
    assert_eq!(values.len(), 1, "all callers get the one value: {values:?}");
    // How long a single caller of such a load waits on this machine now.
    let mut single = Worker::start(WORKER, &server.url(), "another key", 1, 50, 3_000);
    single.go();
    let alone_ms = single.report().slowest_ms;
    assert!(
        slowest_ms < 4.0 * alone_ms,
        "the slowest of 1,000 callers waited {slowest_ms} ms, a single one {alone_ms} ms"
    );

    let mut by_process = std::collections::BTreeMap::<_, Vec<_>>::new();
    for command in &commands {
        by_process.entry(client_of(command)).or_default().push(command);
    }
    assert_eq!(by_process.len(), 4, "one connection each: {commands:#?}");
    // The polls of a caller that waits for the lease grow with the real time of the load.
    let most = 5.0 + slowest_ms / 15.0;
    for commands in by_process.values() {
        assert!(commands.len() as f64 <= most, "{} commands of one process: {commands:#?}", commands.len());
    }
}

#[tokio::test]
async fn a_process_killed_in_mid_load_is_succeeded_when_its_lease_ends() {
    let lease = Duration::from_secs(1);
    let server = RedisServer::start();
    let mut holder = Worker::start(WORKER, &server.url(), KEY, 10, 60_000, 1_000);
    let mut heir = Worker::start(WORKER, &server.url(), KEY, 10, 50, 1_000);
    holder.go();
    holder.wait_until_loading();
    holder.kill();
    let began = Instant::now();
    heir.go();
    let report = heir.report();
    let took = began.elapsed();
    assert_eq!(report.loads, 1, "{report:?}");
    assert!(took < lease + Duration::from_millis(500), "a lease of {lease:?} of a dead process held for {took:?}");
}

/// The value that it has taken over is served on, and lives as long as before.
#[tokio::test]
async fn a_process_killed_while_it_refreshes_by_force_leaves_the_old_value() {
    let server = RedisServer::start();
    let start = |load_ms| Worker::start(WORKER, &server.url(), KEY, 10, load_ms, 10_000);
    let report = |mut worker: Worker| {
        worker.go();
        worker.report()
    };
    let first = report(start(10));
    let mut forcing = Worker::forcing(WORKER, &server.url(), KEY, 1, 60_000);
    forcing.go();
    forcing.wait_until_loading();
    let meanwhile = report(start(10));
    assert_eq!((meanwhile.loads, &meanwhile.values), (0, &first.values));
    forcing.kill();
    let after = report(start(10));
    assert_eq!((after.loads, &after.values), (0, &first.values));
    let again = report(Worker::forcing(WORKER, &server.url(), KEY, 10, 10));
    assert_eq!(again.values.len(), 1, "{again:?}");
    assert_ne!(again.values, first.values);
    let last = report(start(10));
    assert_eq!((last.loads, last.values), (0, again.values));
}

#[tokio::test]
async fn the_lease_of_a_slow_load_is_renewed() {
    let server = RedisServer::start();
    let mut slow = Worker::start(WORKER, &server.url(), KEY, 10, 1_500, 500);
    let mut other = Worker::start(WORKER, &server.url(), KEY, 10, 50, 500);
    slow.go();
    slow.wait_until_loading();
    other.go();
    let reports = [slow.report(), other.report()];
    let (loads, _, values) = all(&reports);
    assert_eq!((loads, values.len()), (1, 1), "a load of three times the lease's time: {reports:?}");
}
