//! An invalidated value stays invalid, whatever was on its way: P2 on a real server.
//!
//! The tests produce each order of steps by holding loads open; nothing waits for time to pass. A read is stale if it
//! began after a write had been reported as applied and returns an older version.

use cached_core::store::{Acquire, Acquired, Begin, End, Fill, Head, Key, Put, RedisStore, Remove, Store};
use cached_core::{Cache, Invalidation, Outcome};
use futures_util::FutureExt;
use std::sync::Arc;
use std::time::Duration;
use tests::{RedisServer, Row, applied, eventually, patient_cache};

const ROUNDS: u64 = 200;
const WITHIN: Duration = Duration::from_secs(5);
const TTL: Duration = Duration::from_secs(60);

/// A server, and two caches on it with their own connections, flights and queues, like two processes.
struct World {
    server: RedisServer,
    here: Cache,
    there: Cache,
}

impl World {
    fn new() -> Self {
        let server = RedisServer::start();
        let (here, there) = (patient_cache(&server.url()), patient_cache(&server.url()));
        Self { server, here, there }
    }

    /// No read gets an older version, in either cache and in any order.
    async fn is_fresh(&self, row: &Row, version: u64) {
        for cache in [&self.here, &self.there, &self.here] {
            let read = row.read_and_store(cache).await;
            assert!(read >= version, "stale: version {read} of row {row:?} after {version} was complete");
        }
    }

    /// The next read of it loads.
    async fn forget(&self, row: &Row) {
        self.delete(&entry_of(row)).await;
    }

    /// Deletes a register from outside the library.
    async fn delete(&self, key: &str) {
        let _: u64 = self.server.send(&[b"DEL", key.as_bytes()]).await;
    }
}

fn entry_of(row: &Row) -> String {
    format!("cache:k:{}", row.key())
}

#[tokio::test]
async fn a_load_in_flight_while_its_key_its_tag_or_its_event_is_invalidated() {
    let world = World::new();
    let row = Row::new(1);
    for round in 0..ROUNDS {
        for what in row.ways() {
            world.forget(&row).await;
            let held = row.hold(&world.here).await;
            let version = row.commit();
            // By another process, every other time.
            let writer = if round % 2 == 0 { &world.here } else { &world.there };
            assert_eq!(writer.invalidate(what).await, Outcome::Applied);
            assert_eq!(held.finish().await, version - 1);
            world.is_fresh(&row, version).await;
        }
    }
}

#[tokio::test]
async fn a_load_in_flight_while_a_bracket_opens_and_closes() {
    let world = World::new();
    let row = Row::new(1);
    for round in 0..ROUNDS {
        for what in row.ways() {
            world.forget(&row).await;
            let is_before = round % 2 == 0;
            let before = if is_before { Some(row.hold(&world.there).await) } else { None };
            let write = async {
                // Between BEGIN and the commit.
                let inside = if is_before { None } else { Some(row.hold(&world.here).await) };
                (row.commit(), inside)
            };
            let ((version, inside), outcome) = world.here.write(what, write).await;
            assert_eq!(outcome, Outcome::Applied);
            if let Some(held) = before.or(inside) {
                held.finish().await;
            }
            world.is_fresh(&row, version).await;
        }
    }
}

/// A load is held from before the commit, and stores between commit and END; its value is gone with END.
#[tokio::test]
async fn a_load_that_ends_between_commit_and_end() {
    let world = World::new();
    let row = Row::new(1);
    for _ in 0..ROUNDS {
        for what in row.ways() {
            world.forget(&row).await;
            let held = row.hold(&world.there).await;
            let write = async {
                let version = row.commit();
                held.finish().await;
                // Linearizable: the commit is seen before END.
                world.is_fresh(&row, version).await;
                version
            };
            let (version, outcome) = world.here.write(what, write).await;
            assert_eq!(outcome, Outcome::Applied);
            world.is_fresh(&row, version).await;
        }
    }
}

#[tokio::test]
async fn two_fills_in_flight_and_an_invalidation_between_them() {
    let world = World::new();
    let row = Row::new(1);
    for round in 0..ROUNDS {
        for what in row.ways() {
            world.forget(&row).await;
            let old = row.hold(&world.here).await;
            let version = row.commit();
            assert_eq!(world.there.invalidate(what.key(row.key())).await, Outcome::Applied);
            let new = row.hold(&world.there).await;
            if round % 2 == 0 {
                old.finish().await;
                new.finish().await;
            } else {
                new.finish().await;
                old.finish().await;
            }
            world.is_fresh(&row, version).await;
        }
    }
}

/// Its FILL is accepted, because the key was not touched; that proves nothing about tags.
#[tokio::test]
async fn a_follower_that_joins_after_the_loads_tag_was_invalidated() {
    let world = World::new();
    let row = Row::new(1);
    for _ in 0..ROUNDS {
        for what in row.ways() {
            world.forget(&row).await;
            let held = row.hold(&world.here).await;
            let version = row.commit();
            assert_eq!(world.there.invalidate(what).await, Outcome::Applied);
            let follower = row.begin_read(&world.here).await;
            assert!(!follower.is_finished(), "it follows the load");
            held.finish().await;
            assert_eq!(follower.await.unwrap(), version, "it shared a load that began before it came");
            world.is_fresh(&row, version).await;
        }
    }
}

/// A load renews its lease and loses it anyway: to eviction, to expiry, or to a foreign `DEL`.
#[tokio::test]
async fn a_load_that_outlives_its_lease() {
    let world = World::new();
    let row = Row::new(1);
    for round in 0..ROUNDS {
        world.forget(&row).await;
        let slow = row.hold(&world.here).await;
        if round % 2 == 0 {
            world.forget(&row).await;
        } else {
            let key = entry_of(&row);
            let _: u64 = world.server.send(&[b"PEXPIRE", key.as_bytes(), b"1"]).await;
            let is_gone = async || !world.server.send::<bool>(&[b"EXISTS", key.as_bytes()]).await;
            eventually("the lease expires", is_gone).await;
        }
        // Another caller has loaded it meanwhile, holds a lease on it, or was not there.
        let other = match round % 3 {
            0 => None,
            1 => Some(row.hold(&world.there).await),
            _ => {
                row.read_and_store(&world.there).await;
                None
            }
        };
        let version = row.commit();
        assert_eq!(world.there.invalidate(Invalidation::new().key(row.key())).await, Outcome::Applied);
        slow.finish().await;
        if let Some(other) = other {
            other.finish().await;
        }
        world.is_fresh(&row, version).await;
    }
}

/// Any program that removes the key has invalidated the entry.
#[tokio::test]
async fn a_plain_del_from_outside_during_a_load() {
    let world = World::new();
    let row = Row::new(1);
    for round in 0..ROUNDS {
        world.forget(&row).await;
        let held = row.hold(&world.here).await;
        let version = row.commit();
        if round % 2 == 0 {
            world.forget(&row).await;
        } else {
            // Also of a register that no longer has the load's stamps.
            world.delete(&format!("cache:t:{}", row.tag())).await;
        }
        held.finish().await;
        world.is_fresh(&row, version).await;
    }
}

#[tokio::test]
async fn a_tag_that_was_evicted() {
    let world = World::new();
    let row = Row::new(1);
    let tag = format!("cache:t:{}", row.tag());
    for round in 0..ROUNDS {
        world.forget(&row).await;
        // Nothing happens to the entry except that its tag is lost, invalidated and created again.
        row.read_and_store(&world.here).await;
        world.entry(&tag).remove().await;
        if round % 2 == 0 {
            // The load of another entry creates the tag again before it is invalidated.
            row.depending(world.there.entry("other")).get_or_load(async || Ok::<_, ()>(0_u64)).await.unwrap();
            world.there.flush().await;
        }
        let version = row.commit();
        assert_eq!(world.there.invalidate(Invalidation::new().tag(row.tag())).await, Outcome::Applied);
        row.depending(world.there.entry("another")).get_or_load(async || Ok::<_, ()>(0_u64)).await.unwrap();
        world.there.flush().await;
        world.is_fresh(&row, version).await;
        // The same during a load.
        world.forget(&row).await;
        let held = row.hold(&world.here).await;
        world.entry(&tag).remove().await;
        let version = row.commit();
        assert_eq!(world.there.invalidate(Invalidation::new().tag(row.tag())).await, Outcome::Applied);
        held.finish().await;
        world.is_fresh(&row, version).await;
    }
}

#[tokio::test]
async fn flushall_during_a_load_and_during_a_write() {
    let world = World::new();
    let row = Row::new(1);
    for round in 0..ROUNDS {
        let flushed = async || {
            let _: () = world.server.send(&[b"FLUSHALL"]).await;
        };
        world.forget(&row).await;
        let held = row.hold(&world.here).await;
        flushed().await;
        let what = row.way(round);
        let write = async {
            // Without its markers, a load begins and is stored before the commit.
            flushed().await;
            row.read_and_store(&world.there).await;
            row.commit()
        };
        let (version, outcome) = world.there.write(what, write).await;
        assert_eq!(outcome, Outcome::Applied);
        held.finish().await;
        world.is_fresh(&row, version).await;
    }
}

/// A refresh in the background stores only over the value that it was to replace.
#[tokio::test]
async fn a_refresh_in_flight() {
    let server = RedisServer::start();
    let (store, writer) = (RedisStore::new(&server.url()).unwrap(), RedisStore::new(&server.url()).unwrap());
    let key = Key::from("cache:k:row");
    for round in 0..ROUNDS {
        let value = |n: u64| {
            let id = u128::from(round * 4 + n).to_le_bytes();
            [&b"V"[..], &id, b"payload"].concat()
        };
        let head = |bytes: &[u8]| Head::from_bytes(bytes).unwrap();
        let fill = async |expected: &[u8], n| {
            store.fill(Fill::new(&key, head(expected), value(n).into(), TTL, WITHIN)).await.unwrap()
        };
        store.put(Put::new(&key, value(0).into(), TTL, WITHIN)).await.unwrap();
        // The refresh reads the database here. Then:
        match round % 4 {
            0 => drop(writer.remove(Remove::new(&key, WITHIN)).await.unwrap()),
            1 => {
                let marker = head(&[&b"L"[..], &[7; 16]].concat());
                let begun = writer.begin(Begin::new(marker, std::slice::from_ref(&key), TTL, WITHIN)).await.unwrap();
                begun.whole().unwrap();
                assert!(!fill(&value(0), 1).await, "between BEGIN and END");
                let nothing = cached_core::store::Written::nothing(key.clone());
                let ended = writer.end(End::new(marker, &[nothing], WITHIN)).await.unwrap();
                ended.keys.whole().unwrap();
            }
            2 => {
                writer.remove(Remove::new(&key, WITHIN)).await.unwrap();
                let lease = head(&[&b"L"[..], &round.to_le_bytes(), &[8; 8]].concat());
                assert_eq!(writer.acquire(Acquire::new(&key, lease, TTL, WITHIN)).await.unwrap(), Acquired::Granted);
                assert!(!fill(&value(0), 1).await, "over the lease of a load that began later");
                assert!(writer.fill(Fill::new(&key, lease, value(2).into(), TTL, WITHIN)).await.unwrap());
            }
            _ => assert!(fill(&value(0), 3).await, "another refresh was faster"),
        }
        assert!(!fill(&value(0), 1).await, "the refresh stored over what came after it had begun");
    }
}

#[tokio::test]
async fn sweeps_while_loads_are_in_flight() {
    let world = World::new();
    let rows: Vec<Arc<Row>> = (0..ROUNDS).map(Row::new).collect();
    // More keys than one stretch takes.
    let mut many = redis::pipe();
    for i in 0..5_000 {
        many.set(format!("cache:k:other:{i}"), "x").ignore();
    }
    let _: () = many.query_async(&mut world.server.connection().await).await.unwrap();
    for flushes in [true, false] {
        let mut held = Vec::new();
        for row in &rows {
            // Rows alternate between an entry and a load in flight.
            if row.now() == 0 && held.len() % 2 == 0 {
                row.read_and_store(&world.here).await;
                world.forget(row).await;
            }
            held.push(row.hold(&world.here).await);
        }
        for row in &rows {
            row.commit();
        }
        let removed = if flushes {
            world.there.clear().await.unwrap()
        } else {
            world.there.delete_matching("row:").await.unwrap()
        };
        assert!(removed >= ROUNDS, "{removed} removed");
        for (row, held) in rows.iter().zip(held) {
            held.finish().await;
            world.is_fresh(row, row.now()).await;
        }
        // For the second pass.
        world.there.delete_matching("row:").await.unwrap();
    }
}

/// A write is dropped after its commit. Its markers stand until their time is over, and nothing is stored meanwhile.
#[tokio::test]
async fn writers_that_are_cancelled() {
    let world = World::new();
    for round in 0..ROUNDS {
        let row = Row::new(round);
        let held = if round % 2 == 0 {
            Some(row.hold(&world.there).await)
        } else {
            row.read_and_store(&world.there).await;
            None
        };
        let (committed, is_committed) = tokio::sync::oneshot::channel();
        let write = tokio::spawn({
            let (cache, row) = (world.here.clone(), Arc::clone(&row));
            async move {
                let body = async {
                    committed.send(row.commit()).unwrap();
                    std::future::pending::<()>().await;
                };
                cache.write(row.way(round), body).await.1
            }
        });
        let version = is_committed.await.unwrap();
        write.abort();
        assert!(write.await.unwrap_err().is_cancelled());
        assert!(applied(&world.here, WITHIN).await);
        if let Some(held) = held {
            held.finish().await;
        }
        world.is_fresh(&row, version).await;
    }
}

/// The refusal has not been answered yet, so only the cache knows of it.
#[tokio::test]
async fn invalidations_that_are_dropped() {
    let world = World::new();
    let rows: Vec<Arc<Row>> = (0..ROUNDS).map(Row::new).collect();
    let replicas = async |number: &[u8]| {
        let _: () = world.server.send(&[b"CONFIG", b"SET", b"min-replicas-to-write", number]).await;
    };
    for row in &rows {
        row.read_and_store(&world.here).await;
    }
    replicas(b"1").await;
    for (row, n) in rows.iter().zip(0..) {
        row.commit();
        assert_eq!(world.here.invalidate(row.way(n)).now_or_never(), None);
        // In the writer's process at once, in others when the queued invalidation is applied.
        assert_eq!(row.read(&world.here).await, row.now());
    }
    replicas(b"0").await;
    assert!(applied(&world.here, WITHIN).await);
    for row in &rows {
        world.is_fresh(row, row.now()).await;
    }
}
