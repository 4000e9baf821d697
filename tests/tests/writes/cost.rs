//! The cost of writes for the server: the same for one entry as for a hundred thousand.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, Invalidation, Outcome};
use std::time::Instant;
use tests::{RedisServer, RowChanged, patient_cache};

/// Entries that the library makes and that are checked afterwards; the rest only adds weight to the server.
const REAL: u64 = 1_000;

async fn plant(server: &RedisServer, cache: &Cache, entries: u64) {
    let mut sets = tokio::task::JoinSet::new();
    for n in 0..entries.min(REAL) {
        let cache = cache.clone();
        sets.spawn(async move { cache.entry(format!("row:{n}")).tag("group").set(&n).await });
    }
    sets.join_all().await.into_iter().for_each(|set| set.unwrap());
    let like: Vec<u8> = server.send(&[b"GET", b"cache:k:row:0"]).await;
    let mut connection = server.connection().await;
    for from in (REAL..entries).step_by(10_000) {
        let mut pipeline = redis::pipe();
        for n in from..(from + 10_000).min(entries) {
            pipeline.set(format!("cache:k:row:{n}"), &like[..]).ignore();
        }
        let _: () = pipeline.query_async(&mut connection).await.unwrap();
    }
}

/// The words of each command, without its time and its connection.
fn words(commands: &[String]) -> Vec<usize> {
    commands.iter().map(|command| command.split("] ").nth(1).unwrap_or_default().split(' ').count()).collect()
}

#[tokio::test]
async fn a_tag_is_invalidated_by_one_command_however_many_entries_have_it() {
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    let mut costs = Vec::new();
    for entries in [1, 1_000, 100_000] {
        plant(&server, &cache, entries).await;
        let size: u64 = server.send(&[b"DBSIZE"]).await;
        assert!(size >= entries, "{size} keys");
        let monitor = server.monitor().await;
        let began = Instant::now();
        assert_eq!(cache.invalidate(Invalidation::new().tag("group")).await, Outcome::Applied);
        let took = began.elapsed();
        let commands = monitor.stop(&server).await;
        println!("a tag of {entries} entries: {took:?}, {commands:?}");
        for n in 0..entries.min(REAL) {
            assert_eq!(cache.entry(format!("row:{n}")).get::<u64>().await, None);
        }
        costs.push(words(&commands));
    }
    // UNLINK, the tag, and the register of all tags.
    assert_eq!(costs, [[3], [3], [3]]);
}

#[tokio::test]
async fn a_bracket_is_two_round_trips_and_an_event_is_one() {
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    let what = || Invalidation::new().event(&RowChanged { id: 1 }).key("row:1").tag("group");
    // From here on the server knows the scripts.
    let ((), outcome) = cache.write(what(), async {}).await;
    assert_eq!(outcome, Outcome::Applied);
    for _ in 0..3 {
        let monitor = server.monitor().await;
        let during = async {
            let _: () = server.send(&[b"SET", b"the body", b"runs"]).await;
        };
        let ((), outcome) = cache.write(what(), during).await;
        assert_eq!(outcome, Outcome::Applied);
        let commands = monitor.stop(&server).await;
        let kinds: Vec<_> = commands.iter().filter_map(|command| command.split('"').nth(1)).collect();
        assert_eq!(kinds, ["EVALSHA", "SET", "EVALSHA"], "{commands:#?}");

        let monitor = server.monitor().await;
        assert_eq!(cache.emit(&RowChanged { id: 1 }).await, Outcome::Applied);
        let commands = monitor.stop(&server).await;
        assert_eq!(commands.len(), 1, "{commands:#?}");
        assert!(commands[0].contains("UNLINK"), "{commands:#?}");
    }
}
