//! The near cache when contact is lost, in every way: it is off, and never older than the heartbeat.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{BreakerState, Cache, Outcome};
use std::time::{Duration, Instant};
use tests::{KeptRows, Network, Pass, RedisServer, Way, applied, eventually};

mod gaps;
mod overtaken;
mod processes;
mod wakes;

const HEARTBEAT: Duration = Duration::from_millis(300);
const BUDGET: Duration = Duration::from_millis(100);
/// The time that timers and a busy machine may add.
const SLACK: Duration = Duration::from_millis(60);

/// How late the near cache's clock may be.
const TICK: Duration = Duration::from_millis(5);

/// A cache behind a network, another one next to the server, and the network between them.
struct Subject {
    server: RedisServer,
    network: Network,
    here: Cache,
    there: Cache,
    rows: KeptRows,
    /// When each row was last written.
    written: Vec<Option<Instant>>,
}

const ROWS: u64 = 8;

impl Subject {
    /// The network disturbs only what the near cache receives.
    async fn new() -> Self {
        let server = RedisServer::start();
        let network = Network::of_news_to(&server).await;
        Self::on(server, network)
    }

    fn on(server: RedisServer, network: Network) -> Self {
        let cache = |url: String, budget| {
            Cache::builder().namespace("cache").redis(url).near_heartbeat(HEARTBEAT).budget(budget).build().unwrap()
        };
        // Other writers' invalidations are applied, however busy the machine is.
        let (here, there) = (cache(network.url(), BUDGET), cache(server.url(), Duration::from_secs(5)));
        let written = vec![None; usize::try_from(ROWS).unwrap()];
        Self { server, network, here, there, rows: KeptRows::new(8), written }
    }

    fn is_coherent(&self) -> bool {
        self.here.stats().near.is_some_and(|near| near.coherent)
    }

    async fn warm(&self) {
        for id in 0..ROWS {
            self.rows.warm(&self.here, Way::Shared, id).await;
        }
        assert!(self.is_coherent());
    }

    /// Writes a row on the undisturbed side.
    async fn write(&mut self, id: u64) {
        assert_eq!(self.rows.write(&self.there, id).await, Outcome::Applied);
        self.written[usize::try_from(id).unwrap()] = Some(Instant::now());
    }

    /// Reads a row. It may be old if it was written within the heartbeat; a call takes no longer than its budget.
    async fn read(&self, way: Way, id: u64) -> bool {
        let (expected, began) = (self.rows.now(id), Instant::now());
        let hits = way.near_hits(&self.here);
        let version = self.rows.read(&self.here, way, id).await;
        let is_near = way.near_hits(&self.here) > hits;
        assert!(began.elapsed() < BUDGET + SLACK, "a read took {:?}", began.elapsed());
        let since = self.written[usize::try_from(id).unwrap()].map(|written| began - written);
        let may_be_old = since.is_some_and(|since| since <= HEARTBEAT + TICK) && is_near;
        assert!(version == expected || may_be_old, "version {version} of {expected}, written {since:?} ago");
        is_near
    }

    /// Writes a row and reads all, for this time.
    async fn go_on_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        let mut n = 0;
        while Instant::now() < until {
            n += 1;
            if n % 10 == 1 {
                self.write(n / 10 % ROWS).await;
            }
            for id in 0..ROWS {
                self.read(Way::Shared, id).await;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// All is as before the fault, without a restart of anything here.
    async fn is_well_again(&mut self) {
        self.warm().await;
        for id in 0..ROWS {
            self.write(id).await;
            let rows = &self.rows;
            eventually("a write is seen", async || rows.read(&self.here, Way::Shared, id).await == rows.now(id)).await;
        }
        self.warm().await;
        for id in 0..ROWS {
            assert!(self.read(Way::Shared, id).await, "the near cache answers");
        }
    }

    /// Waits until the near cache has noticed.
    async fn is_cut_off(&self) {
        eventually("it is not coherent", async || !self.is_coherent()).await;
    }

    /// The GETs and MGETs that the server received since the last time this was called.
    async fn gets(&self) -> u64 {
        let info: String = self.server.send(&[b"INFO", b"commandstats"]).await;
        let calls = |line: &str| {
            let calls = line.split_once("calls=")?.1.split(',').next()?;
            calls.parse::<u64>().ok()
        };
        let is_read = |line: &&str| line.starts_with("cmdstat_get:") || line.starts_with("cmdstat_mget:");
        let read = info.lines().filter(is_read).filter_map(calls).sum();
        let _: String = self.server.send(&[b"CONFIG", b"RESETSTAT"]).await;
        read
    }

    /// While the near cache is not coherent, each read is a read of the server.
    async fn reads_go_to_the_server(&self) {
        self.gets().await;
        let (mut reads, mut near) = (0, 0);
        for _ in 0..5 {
            for id in 0..ROWS {
                reads += 1;
                near += u64::from(self.read(Way::Shared, id).await);
            }
        }
        assert_eq!(near, 0);
        let gets = self.gets().await;
        assert!(gets >= reads, "{gets} of {reads} reads went to the server");
    }
}

#[tokio::test]
async fn the_connection_is_killed() {
    let mut on = Subject::new().await;
    on.warm().await;
    for _ in 0..20 {
        let clients: String = on.server.send(&[b"CLIENT", b"LIST"]).await;
        let listener = clients.lines().find(|client| client.contains("flags=t")).map(ToOwned::to_owned);
        let id = listener.as_deref().and_then(|client| client.split(['=', ' ']).nth(1)).unwrap_or("0");
        // Both at the same time: the announcement of the write may be the last that arrives, or the first that does
        // not.
        let mut connection = on.server.connection().await;
        on.rows.commit(1);
        let mut at_once = redis::pipe();
        at_once.cmd("CLIENT").arg("KILL").arg("ID").arg(id).ignore();
        at_once.cmd("UNLINK").arg(Way::Shared.redis_key(1)).ignore();
        let _: () = at_once.query_async(&mut connection).await.unwrap();
        on.written[1] = Some(Instant::now());
        on.go_on_for(Duration::from_millis(20)).await;
        on.warm().await;
    }
    on.is_well_again().await;
}

async fn stands_still(up: Pass, down: Pass) {
    let mut on = Subject::new().await;
    on.warm().await;
    on.network.up(up);
    on.network.down(down);
    on.go_on_for(2 * HEARTBEAT).await;
    on.is_cut_off().await;
    on.reads_go_to_the_server().await;
    on.go_on_for(HEARTBEAT).await;
    on.network.up(Pass::AtOnce);
    on.network.down(Pass::AtOnce);
    // All that was held back arrives now, even on connections that were given up.
    on.go_on_for(HEARTBEAT).await;
    on.is_well_again().await;
}

#[tokio::test]
async fn nothing_is_heard_of_the_server() {
    stands_still(Pass::AtOnce, Pass::Never).await;
}

#[tokio::test]
async fn the_server_hears_nothing() {
    stands_still(Pass::Never, Pass::AtOnce).await;
}

#[tokio::test]
async fn nothing_passes() {
    stands_still(Pass::Never, Pass::Never).await;
}

/// The connection itself is lost, without notice.
#[tokio::test]
async fn the_connection_is_forgotten() {
    let mut on = Subject::new().await;
    for _ in 0..3 {
        on.warm().await;
        on.network.forget();
        on.go_on_for(2 * HEARTBEAT).await;
        on.is_well_again().await;
    }
}

/// The calls that wait for an overdue answer pay for it, within their budget. From then on nobody asks there until
/// there is a sign of life. This does not count as an outage of the store.
#[tokio::test]
async fn an_overdue_answer_is_waited_for_once() {
    let on = Subject::new().await;
    on.warm().await;
    for way in [Way::Cloned, Way::Tagged] {
        for id in 0..ROWS {
            on.rows.read(&on.there, way, id).await;
        }
    }
    on.there.flush().await;
    on.network.down(Pass::Never);
    let timed = async |way, id| {
        let began = Instant::now();
        assert_eq!(on.rows.read(&on.here, way, id).await, 0);
        began.elapsed()
    };
    let read = |id| timed(Way::Cloned, id);
    let (a, b, c, d) = tokio::join!(read(0), read(1), read(2), read(3));
    for took in [a, b, c, d] {
        assert!(took > BUDGET / 4 && took < BUDGET + SLACK, "{took:?}");
    }
    for id in 0..ROWS {
        let took = timed(Way::Tagged, id).await;
        assert!(took < BUDGET / 2, "{took:?}");
    }
    let hits = (Way::Cloned.stats(&on.here).hits, Way::Tagged.stats(&on.here).hits);
    assert_eq!(hits, (4, ROWS), "all were read from the store, in the common way");
    assert_eq!(on.here.stats().breaker, BreakerState::Closed);
    assert!(on.read(Way::Shared, 1).await, "what is kept is served as long as the last sign of life is good");
    // It was a short standstill, so no other connection is needed.
    on.network.down(Pass::AtOnce);
    on.rows.warm(&on.here, Way::Cloned, 1).await;
    let drops = on.here.stats().near.unwrap().drops;
    assert!(!drops.contains_key(&cached_core::DropReason::Gap), "{drops:?}");
}

/// The server is back with its saved data: it does not know of removals that it had acknowledged. So far only the near
/// cache has a connection to the new one.
#[tokio::test]
async fn what_the_server_has_forgotten_is_removed_again_before_anything_is_read() {
    let mut on = Subject::new().await;
    on.warm().await;
    let exists = async |on: &Subject| on.server.send::<bool>(&[b"EXISTS", Way::Shared.redis_key(1).as_bytes()]).await;
    let _: () = on.server.send(&[b"SAVE"]).await;
    assert_eq!(on.rows.write(&on.here, 1).await, Outcome::Applied);
    on.server.kill();
    on.is_cut_off().await;
    on.server.restart();
    eventually("there is contact", async || {
        let clients: String = on.server.send(&[b"CLIENT", b"LIST"]).await;
        clients.contains("flags=t")
    })
    .await;
    assert!(!exists(&on).await);
    assert!(on.server.send::<bool>(&[b"EXISTS", Way::Shared.redis_key(2).as_bytes()]).await, "it has the older data");
    assert_eq!(on.rows.read(&on.here, Way::Shared, 1).await, 1);
    on.is_well_again().await;
}

/// A sign of life is about the moment of its question: much may happen while the answer is on its way.
#[tokio::test]
async fn a_slow_network_stands_still() {
    let delay = HEARTBEAT / 4;
    let mut on = Subject::new().await;
    let slow = Cache::builder()
        .namespace("cache")
        .redis(on.network.url())
        .near_heartbeat(HEARTBEAT)
        .budget(Duration::from_secs(2));
    on.here = slow.build().unwrap();
    for round in 0..8 {
        on.network.down(Pass::After(delay));
        for id in 0..3 {
            on.rows.warm(&on.here, Way::Shared, id).await;
        }
        tokio::time::sleep(Duration::from_millis(20 * round)).await;
        for id in 0..3 {
            on.write(id).await;
        }
        tokio::time::sleep(delay * 4 / 5).await;
        // The announcements of the writes are under way and do not arrive. A sign of life that was requested before
        // them may have arrived.
        on.network.down(Pass::Never);
        let stopped = Instant::now();
        let mut id = 0;
        while stopped.elapsed() < 2 * HEARTBEAT && on.is_coherent() {
            id = (id + 1) % 3;
            let began = Instant::now();
            let version = on.rows.read(&on.here, Way::Shared, id).await;
            let since = began - on.written[usize::try_from(id).unwrap()].unwrap();
            assert!(version == on.rows.now(id) || since < HEARTBEAT + TICK, "old, and written {since:?} ago");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Shorter than the heartbeat: contact was not lost, and the announcements come late.
#[tokio::test]
async fn a_short_stand_still_costs_nothing() {
    let mut on = Subject::new().await;
    on.warm().await;
    for _ in 0..5 {
        on.network.down(Pass::Never);
        on.go_on_for(HEARTBEAT / 4).await;
        on.network.down(Pass::AtOnce);
        on.go_on_for(HEARTBEAT).await;
    }
    on.is_well_again().await;
    let drops = on.here.stats().near.unwrap().drops;
    assert!(!drops.contains_key(&cached_core::DropReason::Gap), "{drops:?}");
}

/// The function runs without the store, and without the near cache.
#[tokio::test]
async fn the_whole_network_stands_still() {
    let server = RedisServer::start();
    let network = Network::to(&server).await;
    let mut on = Subject::on(server, network);
    on.warm().await;
    on.network.up(Pass::Never);
    on.network.down(Pass::Never);
    on.go_on_for(4 * HEARTBEAT).await;
    assert!(!on.is_coherent());
    on.network.up(Pass::AtOnce);
    on.network.down(Pass::AtOnce);
    on.go_on_for(HEARTBEAT).await;
    on.is_well_again().await;
}

async fn comes_back(durable: &[&str]) {
    let server = RedisServer::start_with(durable);
    let network = Network::of_news_to(&server).await;
    let mut on = Subject::on(server, network);
    for _ in 0..3 {
        on.warm().await;
        on.server.kill();
        on.is_cut_off().await;
        for id in 0..ROWS {
            // By this process: a queued invalidation is seen here at once.
            assert_eq!(on.rows.write(&on.here, id).await, Outcome::Queued);
            assert!(!on.read(Way::Shared, id).await);
        }
        on.server.restart();
        for id in 0..ROWS {
            on.read(Way::Shared, id).await;
        }
        assert!(applied(&on.here, Duration::from_secs(10)).await);
        on.is_well_again().await;
    }
}

#[tokio::test]
async fn the_server_comes_back_empty() {
    comes_back(&[]).await;
}

#[tokio::test]
async fn the_server_comes_back_with_its_data() {
    comes_back(&["--appendonly", "yes", "--appendfsync", "no"]).await;
}

#[tokio::test]
async fn the_server_is_frozen() {
    let mut on = Subject::new().await;
    on.warm().await;
    for _ in 0..2 {
        on.server.freeze();
        on.is_cut_off().await;
        for id in 0..ROWS {
            assert_eq!(on.rows.write(&on.here, id).await, Outcome::Queued);
            assert!(!on.read(Way::Shared, id).await);
        }
        on.server.thaw();
        assert!(applied(&on.here, Duration::from_secs(10)).await);
        on.is_well_again().await;
    }
}
