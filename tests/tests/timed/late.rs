//! A sent command may arrive late: after its sender has given up, and after another write has completed.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, Invalidation, Outcome, redis_put};
use std::time::Duration;
use tests::{RedisServer, Relay, Row, RowChanged, applied, eventually, patient_cache};

const PLAIN: &str = "plain";
const WITHIN: Duration = Duration::from_secs(10);

/// A row, a cache whose connections can be delayed, and one whose cannot.
struct World {
    _server: RedisServer,
    relay: Relay,
    slow: Cache,
    other: Cache,
    row: std::sync::Arc<Row>,
}

impl World {
    async fn new() -> Self {
        let server = RedisServer::start();
        let relay = Relay::start(server.port()).await;
        let slow = Cache::builder().namespace("cache").redis(relay.url()).budget(Duration::from_millis(100));
        let slow = slow.write_marker_ttl(Duration::from_secs(1)).lease_ttl(Duration::from_secs(60)).build().unwrap();
        let other = patient_cache(&server.url());
        Self { _server: server, relay, slow, other, row: Row::new(1) }
    }

    /// Writes the next version and completes its invalidation; then what was held back arrives.
    async fn write_and_release(&self) {
        self.row.commit();
        let what = Invalidation::new().event(&self.row.event()).key(PLAIN);
        assert_eq!(self.other.invalidate(what).await, Outcome::Applied);
        self.relay.release_given_up().await;
        for cache in [&self.other, &self.slow, &self.other] {
            assert_eq!(self.read_plain(cache).await, self.row.now(), "stale");
            assert_eq!(read_put(cache, 1, &self.row).await, self.row.now(), "stale");
        }
    }

    async fn read_plain(&self, cache: &Cache) -> u64 {
        let load = async || Ok::<_, ()>(self.row.now());
        let version = cache.entry(PLAIN).get_or_load(load).await.unwrap();
        cache.flush().await;
        version
    }

    /// The held connection is given up for another one.
    async fn reconnects(&self) {
        assert!(applied(&self.slow, WITHIN).await);
        eventually("it has another connection", async || self.slow.entry("anything").get::<u64>().await.is_none())
            .await;
    }
}

#[cached_core::redis_cached(key = "put:<id>", skip(cache, row), invalidate_on = RowChanged { id }, cache = cache)]
async fn read_put(cache: &Cache, id: u64, row: &Row) -> u64 {
    row.now()
}

#[redis_put(key = "put:<id>", RowChanged { id }, invalidate_on = RowChanged { id }, cache = cache)]
async fn put(cache: &Cache, id: u64, row: &Row, relay: Option<&Relay>, is_extended: bool) -> u64 {
    let version = row.commit();
    if let Some(relay) = relay {
        relay.hold();
        if is_extended {
            eventually("its bracket is extended", async || relay.held() > 0).await;
            // With END there are three timeouts in a row, so what is repeated goes out on another connection.
            assert_eq!(
                tokio::join!(cache.entry("one").get::<u64>(), cache.entry("another").get::<u64>()),
                (None, None)
            );
        }
    }
    version
}

/// END alone, and END behind a BEGIN that extends, which must not bring back the right to put.
#[tokio::test]
async fn the_end_of_a_put() {
    for is_extended in [false, true] {
        let world = World::new().await;
        // From here on the server knows the scripts.
        put(&world.slow, 1, &world.row, None, false).await;
        put(&world.slow, 1, &world.row, Some(&world.relay), is_extended).await;
        assert_eq!(world.slow.stats().site("put").unwrap().queued, 1);
        world.reconnects().await;
        world.write_and_release().await;
    }
}

/// The FILL of an entry that only its own register protects.
#[tokio::test]
async fn a_fill() {
    let world = World::new().await;
    world.read_plain(&world.slow).await;
    world.slow.entry(PLAIN).remove().await.unwrap();
    let load = async || {
        let version = world.row.now();
        world.relay.hold();
        Ok::<_, ()>(version)
    };
    assert_eq!(world.slow.entry(PLAIN).get_or_load(load).await, Ok(0));
    eventually("its FILL is on its way", async || world.relay.held() > 0).await;
    // Three timeouts in a row: the next command goes out on another connection.
    assert_eq!(tokio::join!(world.slow.get::<u64>("one"), world.slow.get::<u64>("another")), (None, None));
    world.reconnects().await;
    world.write_and_release().await;
}
