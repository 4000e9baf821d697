//! A writer that dies between its commit and END leaves no lasting lie: P3, with killed processes.
//!
//! Instead of two hundred rounds of one row there are two hundred rows at once, so the test waits for only one marker's
//! time.

use cached_core::{Cache, CacheError};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::{HeldRead, RedisServer, Row, Writer, patient_cache};

const WRITER: &str = env!("CARGO_BIN_EXE_writer");
const ROWS: u64 = 200;
const MARKER: Duration = Duration::from_secs(1);
const MARKER_MS: u64 = 1_000;

struct World {
    server: RedisServer,
    here: Cache,
    there: Cache,
    rows: Vec<Arc<Row>>,
}

impl World {
    fn new() -> Self {
        let server = RedisServer::start();
        let (here, there) = (patient_cache(&server.url()), patient_cache(&server.url()));
        Self { server, here, there, rows: (0..ROWS).map(Row::new).collect() }
    }

    fn writer(&self) -> Writer {
        Writer::start(WRITER, &self.server.url(), ROWS, MARKER_MS)
    }

    /// The writer's transactions are committed, and it dies at once.
    fn commit_and_kill(&self, writer: Writer) {
        for row in &self.rows {
            row.commit();
        }
        writer.kill();
    }

    /// From now on, and until some time after the markers are gone, nobody reads an older version.
    async fn is_fresh_from_now_on(&self) {
        let killed = Instant::now();
        let hits = || self.here.stats().site("Cache::entry").map_or(0, |site| site.hits);
        let mut before = hits();
        // Longer, until rows are stored again.
        while killed.elapsed() < MARKER + MARKER / 4 || hits() < before + ROWS {
            before = hits();
            for row in &self.rows {
                for cache in [&self.here, &self.there] {
                    let read = row.read_and_store(cache).await;
                    assert_eq!(read, row.now(), "stale, {:?} after the writer's death: {row:?}", killed.elapsed());
                }
            }
            assert!(killed.elapsed() < 20 * MARKER, "rows are not stored again");
        }
    }

    async fn finish(held: Vec<HeldRead>) {
        for held in held {
            held.finish().await;
        }
    }
}

#[tokio::test]
async fn a_writer_killed_between_commit_and_end() {
    let world = World::new();
    let mut held = Vec::new();
    // An entry, or a load that began before BEGIN.
    for (row, n) in world.rows.iter().zip(0..) {
        match n % 4 {
            0 | 1 => {
                row.read_and_store(&world.here).await;
            }
            2 => held.push(row.hold(&world.there).await),
            _ => {}
        }
    }
    let writer = world.writer();
    // Loads that begin between BEGIN and the commit.
    for (row, n) in world.rows.iter().zip(0..) {
        if n % 2 == 1 {
            held.push(row.hold(&world.here).await);
        }
    }
    world.commit_and_kill(writer);
    World::finish(held).await;
    world.is_fresh_from_now_on().await;
}

/// `set_unmarked` of the protocol's model: the value would stand there when the marker runs out.
#[tokio::test]
async fn what_is_set_by_hand_while_the_writer_is_at_work() {
    let world = World::new();
    let writer = world.writer();
    let mut sets = Vec::new();
    for row in &world.rows {
        sets.push(row.entry(&world.here).set(&row.now()).await);
    }
    world.commit_and_kill(writer);
    world.is_fresh_from_now_on().await;
    assert!(sets.iter().all(|set| matches!(set, Err(CacheError::Writing))), "{sets:?}");
}

#[tokio::test]
async fn two_overlapping_writers_of_which_one_dies() {
    let world = World::new();
    let writer = world.writer();
    let mut held = Vec::new();
    for (row, n) in world.rows.iter().zip(0..) {
        // The other one completes.
        let (_, outcome) = world.there.write(row.way(n), async { row.commit() }).await;
        assert_eq!(outcome, cached_core::Outcome::Applied);
        assert_eq!(row.read_and_store(&world.there).await, row.now());
        held.push(row.hold(&world.here).await);
    }
    world.commit_and_kill(writer);
    World::finish(held).await;
    world.is_fresh_from_now_on().await;
}

#[tokio::test]
async fn a_write_that_takes_longer_than_its_marker_is_marked_to_its_end() {
    let world = World::new();
    let writer = world.writer();
    tokio::time::sleep(2 * MARKER).await;
    let mut held = Vec::new();
    for row in &world.rows {
        row.read_and_store(&world.there).await;
        held.push(row.hold(&world.here).await);
    }
    world.commit_and_kill(writer);
    World::finish(held).await;
    world.is_fresh_from_now_on().await;
}
