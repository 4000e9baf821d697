//! Options do not conflict: functions that together have every pair of the attribute's options, driven by a seeded
//! random schedule, against an oracle.
//!
//! A function for each pair would need some hundred expansions. A covering array needs 21: in [`table`] every pair of
//! values of two options stands in at least one function, and a test counts them. Combinations that do not compile are
//! listed there as refused, with the UI test that shows the message.
//!
//! The schedule calls, changes the source with and without an invalidation, makes it fail or slow, and lets time pass.
//! The oracle bounds the results: how old a value may be, how often and when the source may be asked, and when a
//! failure may be seen. In memory the clock is manual and the bounds are exact; on a real server they hold however slow
//! the machine is.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod by_hand;
mod oracle;
mod pairs;
mod schedule;
mod source;
mod spec;
mod table;
mod twins;
mod world;

use cached_core::{Cache, CacheBuilder, Clock};
use futures_util::future::join_all;
use schedule::{Run, RunSummary};
use std::time::Duration;
use table::Subject;
use tests::RedisServer;
use world::World;

/// After a failed load, nobody tries again for this long.
const COOLDOWN: Duration = Duration::from_millis(40);

fn builder() -> CacheBuilder {
    let ms = Duration::from_millis;
    // Patient, because the time of the store is not under test.
    Cache::builder()
        .namespace("cache")
        .ttl_class("timed", ms(120))
        .ttl_class("short", ms(60))
        .refresh_cooldown(COOLDOWN)
        .budget(Duration::from_secs(8))
        .lease_ttl(Duration::from_secs(30))
        .write_marker_ttl(Duration::from_secs(60))
        .max_wait(Duration::from_secs(60))
}

/// `near_heartbeat`: contact that is older than this counts as lost until the store is asked again.
async fn in_memory(subject: Subject, heartbeat: Duration, seed: u64, steps: usize) -> RunSummary {
    let clock = Clock::manual();
    let cache = builder().clock(clock.clone()).near_heartbeat(heartbeat).build().unwrap();
    fastrand::seed(seed);
    Run::new(subject, World::timed(cache, clock), seed).steps(steps).await
}

/// The functions with an attribute, and the entries by hand.
fn subjects() -> Vec<Subject> {
    [table::subjects(), by_hand::subjects()].concat()
}

/// The near cache is always in contact.
#[tokio::test(start_paused = true)]
async fn on_a_manual_clock() {
    let mut all = Vec::new();
    for (seed, subject) in (1..).zip(subjects()) {
        all.push((subject.name, in_memory(subject, Duration::from_secs(60), seed, 1_000).await));
    }
    for (name, seen) in &all {
        seen.assert_all_happened(name);
    }
    assert!(all.iter().any(|(_, seen)| seen.early.0 > 0), "chance refreshed nothing ahead of its end");
}

/// Contact is lost whenever more time than this has passed without a read of the store.
#[tokio::test(start_paused = true)]
async fn on_a_manual_clock_with_gaps() {
    for (seed, subject) in (100..).zip(subjects()) {
        in_memory(subject, Duration::from_millis(15), seed, 500).await;
    }
}

#[tokio::test]
async fn on_a_real_server() {
    let server = RedisServer::start();
    let runs = (200..).zip(subjects()).map(|(seed, subject)| {
        let cache = builder().redis(server.url()).namespace(subject.name).build().unwrap();
        async move { Run::new(subject, World::real(cache), seed).connected().await.steps(60).await }
    });
    join_all(runs).await;
}
