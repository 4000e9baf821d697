//! A replica replaces the primary behind one address: nobody serves what only the former primary still believes, and
//! the next write is applied.
//!
//! Nobody closes the connections to the former primary, unless a test says so.

use cached_core::store::{Acquire, Acquired, Begin, Get, Head, Key, Ping, Put, RedisStore, Store, TagAll};
use cached_core::{Cache, FaultKind, Invalidation, Outcome};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::{KeptRows, Proxy, RedisServer, Row, Way, eventually, patient_cache};

const WITHIN: Duration = Duration::from_secs(10);

/// A primary, a replica of it, and an address that leads to the primary.
struct Pair {
    old: RedisServer,
    new: RedisServer,
    address: Proxy,
}

impl Pair {
    async fn new() -> Self {
        let old = RedisServer::start_with(&["--repl-diskless-sync-delay", "0"]);
        let new = RedisServer::start_with(&["--repl-diskless-sync-delay", "0"]);
        let address = Proxy::to(&old).await;
        Self { old, new, address }
    }

    /// Waits until the replica has all of the primary's data.
    async fn replicate(&self) {
        self.new.follows(Some(self.old.port())).await;
        self.new.is_in_step().await;
        let written = async |server: &RedisServer| server.send::<i64>(&[b"DBSIZE"]).await;
        eventually("it has the data", async || written(&self.old).await == written(&self.new).await).await;
    }

    /// The replica becomes the primary, and the address leads to it. The former primary becomes a replica without
    /// contact to the new one: nothing ends its connections, and it receives nothing.
    async fn switch(&self) {
        self.new.follows(None).await;
        self.old.follows(Some(tests::free_port())).await;
        self.address.leads_to(&self.new);
    }
}

#[tokio::test]
async fn a_reader_that_only_reads() {
    let pair = Pair::new().await;
    let (here, row) = (patient_cache(&pair.address.url()), Row::new(1));
    row.read_and_store(&here).await;
    pair.replicate().await;
    pair.switch().await;
    let there = patient_cache(&pair.new.url());
    for way in row.ways() {
        row.commit();
        assert_eq!(there.invalidate(way).await, Outcome::Applied);
        eventually("the new version is read", async || row.read_and_store(&here).await == row.now()).await;
        for _ in 0..20 {
            assert_eq!(row.read_and_store(&here).await, row.now());
        }
    }
    let stats = here.stats();
    assert!(stats.site("Cache::entry").unwrap().hits > 20, "it hits on the new primary: {stats}");
}

#[tokio::test]
async fn a_reader_that_keeps_values_in_memory() {
    let pair = Pair::new().await;
    let cache = |url: String| {
        Cache::builder()
            .namespace("cache")
            .redis(url)
            .budget(WITHIN)
            .near_heartbeat(Duration::from_secs(1))
            .build()
            .unwrap()
    };
    let (here, rows) = (cache(pair.address.url()), KeptRows::new(1));
    // `Bridged` serves its values for their own time.
    let ways = [Way::Shared, Way::Cloned, Way::Tagged, Way::Named];
    for way in ways {
        rows.warm(&here, way, 0).await;
    }
    pair.replicate().await;
    pair.switch().await;
    assert_eq!(rows.write(&cache(pair.new.url()), 0).await, Outcome::Applied);
    for way in ways {
        eventually("the new version is read", async || rows.read(&here, way, 0).await == 1).await;
        rows.warm(&here, way, 0).await;
        assert_eq!(rows.read(&here, way, 0).await, 1);
    }
}

#[tokio::test]
async fn a_writers_next_write_is_applied() {
    let mut pair = Pair::new().await;
    let (here, row) = (patient_cache(&pair.address.url()), Row::new(1));
    for n in 0..8 {
        row.read_and_store(&here).await;
        pair.replicate().await;
        pair.switch().await;
        let outcome = match n {
            0..3 => {
                row.commit();
                here.invalidate(row.way(n)).await
            }
            3..6 => here.write(row.way(n), async { row.commit() }).await.1,
            6 => {
                row.commit();
                here.invalidate(Invalidation::new().key(row.key()).tag(row.tag()).event(&row.event())).await
            }
            _ => {
                row.commit();
                here.entry(row.key()).remove().await.unwrap();
                Outcome::Applied
            }
        };
        assert_eq!(outcome, Outcome::Applied, "write {n}");
        assert_eq!(row.read_and_store(&patient_cache(&pair.new.url())).await, row.now(), "write {n}");
        assert_eq!(row.read_and_store(&here).await, row.now(), "write {n}");
        std::mem::swap(&mut pair.old, &mut pair.new);
        assert_eq!(here.stats().pending, 0);
    }
}

/// A command that creates a new identity is sent once; but what the former primary has refused, it has not carried out.
#[tokio::test]
async fn a_lease_a_tag_and_a_token_after_the_switch() {
    let mut pair = Pair::new().await;
    let store = RedisStore::new(&pair.address.url()).unwrap();
    let head = |kind: u8, id: u8| Head::from_bytes(&[&[kind][..], &[id; 16]].concat()).unwrap();
    let (key, lease, stamp, writer) = (Key::from("k"), head(b'L', 1), head(b'V', 2), head(b'L', 3));
    for n in 0..4 {
        let _: () = pair.old.send(&[b"FLUSHALL"]).await;
        store.ping(Ping::new(WITHIN)).await.unwrap();
        pair.switch().await;
        let _: () = pair.new.send(&[b"FLUSHALL"]).await;
        match n {
            0 => {
                let acquired = store.acquire(Acquire::new(&key, lease, WITHIN, WITHIN)).await.unwrap();
                assert_eq!(acquired, Acquired::Granted);
            }
            1 => {
                let tags = store.tag(TagAll::new(std::slice::from_ref(&key), stamp, WITHIN, WITHIN)).await.unwrap();
                assert_eq!(tags.whole().unwrap(), [Some(stamp)]);
            }
            2 => {
                let begin = Begin::new(writer, std::slice::from_ref(&key), WITHIN, WITHIN).with_token(true);
                store.begin(begin).await.unwrap().whole().unwrap();
            }
            _ => assert!(store.put(Put::new(&key, bytes::Bytes::from_static(b"x"), WITHIN, WITHIN)).await.unwrap()),
        }
        assert!(pair.new.send::<bool>(&[b"EXISTS", b"k"]).await, "step {n}");
        std::mem::swap(&mut pair.old, &mut pair.new);
    }
}

/// The former primary does not store a load that began before the switch, and the lease is requested from the new one.
#[tokio::test]
async fn a_load_during_the_switch() {
    let pair = Pair::new().await;
    let (here, row) = (patient_cache(&pair.address.url()), Row::new(1));
    row.read_and_store(&here).await;
    pair.replicate().await;
    assert_eq!(here.invalidate(row.way(0)).await, Outcome::Applied);
    let held = row.hold(&here).await;
    pair.switch().await;
    row.commit();
    assert_eq!(patient_cache(&pair.new.url()).invalidate(row.way(0)).await, Outcome::Applied);
    held.finish().await;
    assert_eq!(row.read_and_store(&here).await, row.now());
    assert_eq!(row.read_and_store(&patient_cache(&pair.new.url())).await, row.now());
}

/// What the former primary has acknowledged and the new one does not know is removed there, without another call of the
/// process that wrote.
async fn is_removed_at_the_new_primary(end: impl AsyncFnOnce(&mut Pair)) {
    let mut pair = Pair::new().await;
    let (here, rows) = (patient_cache(&pair.address.url()), (0..50).map(Row::new).collect::<Vec<Arc<Row>>>());
    for row in &rows {
        row.read_and_store(&here).await;
    }
    pair.replicate().await;
    // Promoted without the last second.
    pair.new.follows(None).await;
    for row in &rows {
        row.commit();
        assert_eq!(here.invalidate(row.way(row.now())).await, Outcome::Applied);
    }
    end(&mut pair).await;
    pair.address.leads_to(&pair.new);
    let there = patient_cache(&pair.new.url());
    eventually("nobody reads an old version", async || {
        for row in &rows {
            if row.read_and_store(&there).await != row.now() {
                return false;
            }
        }
        true
    })
    .await;
}

#[tokio::test]
async fn a_writer_that_is_idle_when_its_primary_is_demoted() {
    is_removed_at_the_new_primary(async |pair| pair.old.follows(Some(tests::free_port())).await).await;
}

#[tokio::test]
async fn a_writer_that_is_idle_when_its_primary_is_killed() {
    is_removed_at_the_new_primary(async |pair| pair.old.kill()).await;
}

#[tokio::test]
async fn a_writer_that_is_idle_when_its_primary_hangs() {
    is_removed_at_the_new_primary(async |pair| pair.old.freeze()).await;
}

#[tokio::test]
async fn a_sentinel_promotes_a_replica() {
    let pair = Pair::new().await;
    let (here, row) = (patient_cache(&pair.address.url()), Row::new(1));
    row.read_and_store(&here).await;
    pair.replicate().await;
    let Some(sentinel) = pair.old.sentinel() else {
        eprintln!("SKIPPED: there is no redis-sentinel");
        return;
    };
    eventually("it knows the replica", async || sentinel.knows_a_replica().await).await;
    // Asks for the primary, like a service that keeps a name for it.
    assert!(sentinel.promotes().await);
    eventually("it is promoted", async || sentinel.primary().await == Some(pair.new.port())).await;
    pair.address.leads_to(&pair.new);
    row.commit();
    assert_eq!(here.invalidate(row.way(0)).await, Outcome::Applied);
    // The Sentinel notifies the former primary some ten seconds after all others, and it takes writes until then. These
    // are repeated.
    let told_by = Instant::now() + Duration::from_secs(60);
    while !pair.old.send::<String>(&[b"INFO", b"replication"]).await.contains("role:slave") {
        assert!(Instant::now() < told_by, "the former primary is never told");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let there = patient_cache(&pair.new.url());
    for cache in [&here, &there] {
        eventually("the new version is read", async || row.read_and_store(cache).await == row.now()).await;
    }
    eventually("it reads at the new primary", async || {
        row.commit();
        assert_eq!(there.invalidate(row.way(1)).await, Outcome::Applied);
        row.read_and_store(&here).await == row.now()
    })
    .await;
    let error = RedisStore::new(&sentinel.url()).unwrap().get(Get::new(&Key::from("k"), WITHIN)).await.unwrap_err();
    assert_eq!(error.kind, FaultKind::NotPrimary);
    assert!(error.message.contains("is a Sentinel"), "{error}");
}

/// A server without HELLO is asked in another way.
#[tokio::test]
async fn a_reader_on_a_server_that_knows_no_hello() {
    for hidden in [&["HELLO"][..], &["HELLO", "ROLE"]] {
        let hidden: Vec<_> = hidden.iter().flat_map(|word| ["--rename-command", word, ""]).collect();
        let old = RedisServer::start_with(&hidden);
        let (new, address) = (RedisServer::start(), Proxy::to(&old).await);
        let (here, row) = (patient_cache(&address.url()), Row::new(1));
        row.read_and_store(&here).await;
        let pair = Pair { old, new, address };
        pair.switch().await;
        row.commit();
        eventually("the new version is read", async || row.read_and_store(&here).await == row.now()).await;
    }
}

#[tokio::test]
async fn a_replica_says_what_it_is_and_what_to_write() {
    let pair = Pair::new().await;
    pair.replicate().await;
    let error = RedisStore::new(&pair.new.url()).unwrap().get(Get::new(&Key::from("k"), WITHIN)).await.unwrap_err();
    assert_eq!(error.kind, FaultKind::NotPrimary);
    assert!(error.message.contains(&format!("127.0.0.1:{} is a replica", pair.new.port())), "{error}");
    assert!(error.message.contains("address of the primary"), "{error}");
}
