//! Near caches of several processes.

use std::collections::HashMap;
use std::time::Duration;
use tests::{NearCommand, NearEvent, NearProcess, Network, Pass, RedisServer};

const PROGRAM: &str = env!("CARGO_BIN_EXE_near");
/// No read is older than this.
const LAG: Duration = Duration::from_millis(100);

/// By how many microseconds a read was late: a write that it does not show had completed that long before it began.
fn late_by(read: &NearEvent, writes: &[NearEvent]) -> u64 {
    let missed = writes.iter().filter(|write| write.version > read.version && write.ended < read.began);
    missed.map(|write| read.began - write.ended).max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_read_and_write_at_random() {
    let (server, database) = (RedisServer::start(), RedisServer::start());
    let mut processes: Vec<_> =
        (0..2).map(|_| NearProcess::start(PROGRAM, &server.url(), &database.url(), 1000)).collect();
    for process in &mut processes {
        process.read(0);
    }
    for (process, seed) in processes.iter_mut().zip([1, 2]) {
        process.tell(NearCommand::Run { seed, operations: 1000, rows: 6 });
    }
    let done: Vec<_> = processes.iter_mut().map(NearProcess::events).collect();
    let mut writes = HashMap::<u64, Vec<NearEvent>>::new();
    for write in done.iter().flat_map(|(events, _)| events).filter(|event| event.is_write) {
        writes.entry(write.id).or_default().push(*write);
    }
    let (mut late, mut reads, mut latest) = (0, 0, 0);
    for (events, near_hits) in &done {
        assert!(*near_hits > 100, "{near_hits} of {} were near hits", events.len());
        let own: Vec<_> = events.iter().filter(|event| event.is_write).copied().collect();
        for read in events.iter().filter(|event| !event.is_write) {
            let own: Vec<_> = own.iter().filter(|write| write.id == read.id).copied().collect();
            assert_eq!(late_by(read, &own), 0, "a write of its own is not seen: {read:?}");
            let by = late_by(read, writes.get(&read.id).map_or(&[], Vec::as_slice));
            reads += 1;
            late += u64::from(by > 0);
            latest = latest.max(by);
        }
    }
    eprintln!("{late} of {reads} reads were late, by {latest} us at most; near hits {:?}", (done[0].1, done[1].1));
    assert!(Duration::from_micros(latest) < LAG, "a read was late by {latest} us");
}

/// A process that was stopped for longer than the heartbeat does not know what it has missed. Only the clock shows that
/// it may have missed anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_was_stopped_does_not_go_on_with_what_it_had() {
    let heartbeat = Duration::from_millis(300);
    let (server, database) = (RedisServer::start(), RedisServer::start());
    let network = Network::of_news_to(&server).await;
    let mut writer = NearProcess::start(PROGRAM, &server.url(), &database.url(), 300);
    let mut reader = NearProcess::start(PROGRAM, &network.url(), &database.url(), 300);
    for round in 0..5 {
        let mut reads = 0;
        while !reader.read(1).is_near {
            reads += 1;
            assert!(reads < 1000, "it is not near");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        reader.stop();
        // The announcements do not wait in its buffer either: in every other round they are still on their way.
        network.down(if round % 2 == 0 { Pass::Never } else { Pass::AtOnce });
        writer.tell(NearCommand::Write { id: 1 });
        let written = writer.seen().version;
        // This is the first thing that it does when it continues.
        reader.tell(NearCommand::Read { id: 1 });
        tokio::time::sleep(heartbeat + Duration::from_millis(50)).await;
        reader.go_on();
        let seen = reader.seen();
        assert_eq!(seen.version, written, "round {round}: {seen:?}");
        network.down(Pass::AtOnce);
    }
}
