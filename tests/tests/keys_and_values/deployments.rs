//! Builds of one service that run at the same time, and types that share a key: each has its own entries, and sees all
//! writes.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, Invalidation, Outcome, redis_cached};
use redis::AsyncCommands;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use tests::{By, Deployed, DeployedCommand, DeployedReads, RedisServer, eventually, patient_cache};
use tokio::sync::oneshot;

const DEPLOYED: &str = env!("CARGO_BIN_EXE_deployed");
const USER: u64 = 7;
/// Reads of each reader after each write.
const READS: usize = 25;

/// Two sides, which may be of one build. Each has a process that reads, and one that writes.
struct World {
    server: RedisServer,
    database: RedisServer,
    readers: Vec<Deployed>,
    writers: Vec<Deployed>,
}

impl World {
    fn new(builds: &[&str]) -> Self {
        let (server, database) = (RedisServer::start(), RedisServer::start());
        let start = |build: &&str| Deployed::start(DEPLOYED, &server.url(), &database.url(), build);
        let (readers, writers) = (builds.iter().map(start).collect(), builds.iter().map(start).collect());
        Self { server, database, readers, writers }
    }

    /// A writer of no build: it commits, and deletes the key by its name.
    async fn write_and_del(&self, id: u64) -> u64 {
        let mut database = self.database.connection().await;
        let version: u64 = database.incr(format!("user:{id}"), 1).await.unwrap();
        for key in self.keys_of(id).await {
            let _: u64 = self.server.send(&[b"DEL", key.as_bytes()]).await;
        }
        let _: () = database.set(format!("complete:{id}"), version).await.unwrap();
        version
    }

    /// The user's key by its documented form: the namespace first, the rendered template last. At most one key has that
    /// form.
    async fn keys_of(&self, id: u64) -> Vec<String> {
        let keys: Vec<String> = self.server.send(&[b"KEYS", format!("*:user:{id}").as_bytes()]).await;
        assert!(keys.len() <= 1, "one key for all builds: {keys:?}");
        keys
    }

    /// After each write all readers read. Returns what each of them has read and loaded.
    async fn reads_after_each_write(&mut self) -> Vec<DeployedReads> {
        let mut all = vec![DeployedReads::default(); self.readers.len()];
        self.read_all(0, 0, "no write", &mut all);
        for turn in 0..2 {
            for by in By::ALL {
                let writer = turn % self.writers.len();
                let version = self.writers[writer].write(USER, by);
                self.read_all(turn, version, &format!("{by:?} of side {writer}"), &mut all);
            }
            assert_eq!(self.keys_of(USER).await.len(), 1);
            let version = self.write_and_del(USER).await;
            self.read_all(turn, version, "a plain DEL", &mut all);
        }
        all
    }

    /// All readers read; they take turns to be the first.
    fn read_all(&mut self, first: usize, version: u64, after: &str, all: &mut [DeployedReads]) {
        let readers = self.readers.len();
        for n in 0..READS * readers {
            let reader = (first + n) % readers;
            let seen = self.readers[reader].read(USER, 1);
            assert_eq!(seen.versions, [version], "side {reader} after {after}");
            all[reader].reads += seen.reads;
            all[reader].loads += seen.loads;
        }
    }
}

fn hit_ratio(seen: &DeployedReads) -> f64 {
    1.0 - seen.loads as f64 / seen.reads as f64
}

async fn alone(build: &str) -> DeployedReads {
    World::new(&[build]).reads_after_each_write().await.remove(0)
}

/// Side by side each build has nine tenths of the hits that it has alone, and nothing old.
async fn stand_side_by_side(before: &str, after: &str) {
    let alone = [alone(before).await, alone(after).await];
    let together = World::new(&[before, after]).reads_after_each_write().await;
    for (alone, together) in alone.iter().zip(&together) {
        let [alone, together] = [alone, together].map(hit_ratio);
        println!("{before}, {after}: hit ratio alone {alone:.3}, side by side {together:.3}");
        assert!(alone > 0.9, "{alone}");
        assert!(together >= 0.9 * alone, "hit ratio {together} of {alone} alone");
    }
}

#[tokio::test]
async fn a_build_with_a_field_more() {
    stand_side_by_side("first", "field added").await;
}

#[tokio::test]
async fn a_build_with_a_field_less() {
    stand_side_by_side("first", "field removed").await;
}

#[tokio::test]
async fn a_build_with_a_field_of_another_type() {
    stand_side_by_side("first", "field retyped").await;
}

#[tokio::test]
async fn a_build_that_has_moved_the_type_to_another_module() {
    stand_side_by_side("first", "module moved").await;
}

#[tokio::test]
async fn a_build_with_the_next_version() {
    stand_side_by_side("first", "next version").await;
}

#[tokio::test]
async fn three_builds() {
    let builds = ["first", "field added", "next version"];
    for seen in World::new(&builds).reads_after_each_write().await {
        assert!(hit_ratio(&seen) >= 0.85, "{seen:?}");
    }
}

#[tokio::test]
async fn a_build_that_comes_last_is_alone_again_once_the_other_has_gone() {
    let mut world = World::new(&["first", "field added"]);
    let mut all = vec![DeployedReads::default(); 2];
    world.read_all(0, 0, "no write", &mut all);
    world.readers.remove(0);
    let version = world.writers[1].write(USER, By::Key);
    world.read_all(0, version, "the other build's end", &mut all[1..]);
    let keys: Vec<String> = world.server.send(&[b"KEYS", b"*user:*"]).await;
    let monitor = world.server.monitor().await;
    world.readers[0].read(USER, 1);
    let commands = monitor.stop(&world.server).await;
    assert_eq!(commands.len(), 1, "{commands:#?}, {keys:?}");
}

#[tokio::test]
async fn a_sweep_leaves_nothing_of_either_build() {
    let mut world = World::new(&["first", "field added"]);
    for sweeper in 0..2 {
        for reader in &mut world.readers {
            reader.read(USER, 1);
        }
        let before: Vec<String> = world.server.send(&[b"KEYS", b"*user:*"]).await;
        assert_eq!(before.len(), 2, "an entry of each build: {before:?}");
        world.writers[sweeper].write(USER, By::Sweep);
        let after: Vec<String> = world.server.send(&[b"KEYS", b"*"]).await;
        assert_eq!(after, Vec::<String>::new());
    }
}

/// The ways to write, one after another for each user; `None` is a plain DEL. Few are by tag, because those also end
/// what other ways should end.
const MOSTLY_BY_KEY: [Option<By>; 13] = [
    Some(By::Key),
    Some(By::Delete),
    None,
    Some(By::Bracket),
    Some(By::Key),
    Some(By::Delete),
    Some(By::Put),
    Some(By::Bracket),
    None,
    Some(By::Event),
    Some(By::Tag),
    Some(By::TagBracket),
    Some(By::Sweep),
];

/// Both sides read while both write in all ways: no read is older than what was complete when it began.
async fn reads_amid_writes(builds: [&str; 2]) {
    const READS: u64 = 600;
    const USERS: u64 = 3;
    let mut world = World::new(&builds);
    let readers = world.readers.drain(..).map(|mut reader| {
        thread::spawn(move || {
            reader.tell(DeployedCommand::ReadAmidWrites { reads: READS, users: USERS });
            reader.seen()
        })
    });
    let readers: Vec<_> = readers.collect();
    for (n, by) in (0..).zip(MOSTLY_BY_KEY.into_iter().cycle()) {
        if readers.iter().all(thread::JoinHandle::is_finished) {
            break;
        }
        let id = n as u64 % USERS;
        match by {
            Some(by) => world.writers[n % 2].write(id, by),
            None => world.write_and_del(id).await,
        };
    }
    for (reader, build) in readers.into_iter().zip(builds) {
        let seen = reader.join().unwrap();
        assert_eq!(seen.stale, Vec::<String>::new(), "{build}");
        assert_eq!(seen.reads, READS, "{build}");
        assert!(seen.versions.len() > 10, "{build} reads while others write: {:?}", seen.versions);
    }
}

#[tokio::test]
async fn two_builds_read_and_write_at_the_same_time() {
    reads_amid_writes(["first", "field added"]).await;
}

#[tokio::test]
async fn two_versions_read_and_write_at_the_same_time() {
    reads_amid_writes(["first", "next version"]).await;
}

#[tokio::test]
async fn one_build_alone_pays_nothing_for_it() {
    let mut world = World::new(&["first"]);
    world.readers[0].read(USER, 2);
    let monitor = world.server.monitor().await;
    world.readers[0].read(USER, 1);
    let commands = monitor.stop(&world.server).await;
    assert_eq!(commands.len(), 1, "{commands:#?}");
    assert!(commands[0].contains("\"MGET\""), "{commands:#?}");
    // Entry, tag, event.
    assert_eq!(commands[0].split("\"MGET\"").nth(1).unwrap().split_whitespace().count(), 3, "{commands:#?}");
    let keys = world.keys_of(USER).await;
    let length: usize = world.server.send(&[b"STRLEN", keys[0].as_bytes()]).await;
    // Head, kind, fingerprint, check; two stamps with their number, no name; the payload.
    assert_eq!(length, 17 + 1 + 2 + 4 + (1 + 2 * 16 + 1) + r#"{"version":0,"name":"Ada"}"#.len());
    let all: Vec<String> = world.server.send(&[b"KEYS", b"*"]).await;
    assert_eq!(all.len(), 3, "{all:?}");
}

/// The values of a repository: two types with one key.
trait Row: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    fn of(version: u64) -> Self;
    fn version(&self) -> u64;
}

#[derive(Clone, Serialize, serde::Deserialize)]
struct Invoice {
    version: u64,
    lines: Vec<String>,
}

#[derive(Clone, Serialize, serde::Deserialize)]
struct Address {
    street: String,
    version: u64,
}

impl Row for Invoice {
    fn of(version: u64) -> Self {
        Self { version, lines: vec!["a line".into()] }
    }
    fn version(&self) -> u64 {
        self.version
    }
}

impl Row for Address {
    fn of(version: u64) -> Self {
        Self { street: "A street".into(), version }
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// A generic repository whose types all have the same keys.
struct Repo<'a, E> {
    cache: Cache,
    /// The version in the database.
    now: &'a AtomicU64,
    loads: AtomicU64,
    of: PhantomData<E>,
}

impl<'a, E: Row> Repo<'a, E> {
    fn new(cache: &Cache, now: &'a AtomicU64) -> Self {
        Self { cache: cache.clone(), now, loads: AtomicU64::new(0), of: PhantomData }
    }

    fn load(&self) -> E {
        self.loads.fetch_add(1, Ordering::SeqCst);
        E::of(self.now.load(Ordering::SeqCst))
    }

    #[redis_cached(key = "row:<id>", cache = self.cache)]
    async fn find(&self, id: u64) -> E {
        let _ = id;
        self.load()
    }

    #[redis_cached(key = "near:<id>", local = "30s", cache = self.cache)]
    async fn find_near(&self, id: u64) -> E {
        let _ = id;
        self.load()
    }

    #[redis_cached(key = "tagged:<id>", tags = |row: &E| [format!("version:{}", row.version())], cache = self.cache)]
    async fn find_tagged(&self, id: u64) -> E {
        let _ = id;
        self.load()
    }

    #[redis_cached(key = "many:<id>", batch = ids, cache = self.cache)]
    async fn find_many(&self, ids: &[u64]) -> HashMap<u64, E> {
        ids.iter().map(|id| (*id, self.load())).collect()
    }

    async fn version(&self, how: How) -> u64 {
        let version = match how {
            How::Alone => self.find(1).await.version(),
            How::Near => self.find_near(1).await.version(),
            How::Tagged => self.find_tagged(1).await.version(),
            How::Many => {
                let rows = self.find_many(&[1, 2]).await;
                assert_eq!((rows.len(), rows[&1].version()), (2, rows[&2].version()));
                rows[&1].version()
            }
        };
        self.cache.flush().await;
        version
    }
}

/// How a repository reads.
#[derive(Debug, Clone, Copy)]
enum How {
    Alone,
    Near,
    Tagged,
    Many,
}

impl How {
    const ALL: [Self; 4] = [Self::Alone, Self::Near, Self::Tagged, Self::Many];

    fn invalidation(self, version: u64) -> Invalidation {
        match self {
            Self::Alone => Invalidation::new().key("row:1"),
            Self::Near => Invalidation::new().key("near:1"),
            Self::Tagged => Invalidation::new().tag(format!("version:{version}")),
            Self::Many => Invalidation::new().key("many:1").key("many:2"),
        }
    }
}

/// Two types in one process, and the same two in another.
async fn two_types(caches: [Cache; 2]) {
    for how in How::ALL {
        let now = AtomicU64::new(0);
        let [invoices, others] = [0, 1].map(|n| Repo::<Invoice>::new(&caches[n], &now));
        let [addresses, more] = [1, 0].map(|n| Repo::<Address>::new(&caches[n], &now));
        for version in 0..10 {
            for _ in 0..25 {
                let seen = [
                    invoices.version(how).await,
                    addresses.version(how).await,
                    others.version(how).await,
                    more.version(how).await,
                ];
                assert_eq!(seen, [version; 4], "{how:?}");
            }
            now.store(version + 1, Ordering::SeqCst);
            // The other cache's near values lag behind, except for its own writes.
            let by = if matches!(how, How::Near) { &caches[..] } else { &caches[usize::from(version % 2 == 0)..][..1] };
            for cache in by {
                assert_eq!(cache.invalidate(how.invalidation(version)).await, Outcome::Applied);
            }
        }
        // Ten loads for each type, and twice that for two rows.
        let [invoices, addresses] = [[&invoices.loads, &others.loads], [&addresses.loads, &more.loads]]
            .map(|[a, b]| a.load(Ordering::SeqCst) + b.load(Ordering::SeqCst));
        println!("{how:?}: {invoices} and {addresses} loads");
        assert!(invoices.max(addresses) <= 40, "{how:?}: {invoices} and {addresses} loads for ten versions");
    }
}

#[tokio::test]
async fn two_types_of_a_generic_repository() {
    let server = RedisServer::start();
    let cache = || patient_cache(&server.url());
    two_types([cache(), cache()]).await;
}

#[tokio::test]
async fn two_types_of_a_generic_repository_in_memory() {
    let cache = Cache::memory();
    two_types([cache.clone(), cache]).await;
}

/// An entry beside another one ends with it: nothing of it is read after an eviction, or after the end of its time.
#[tokio::test]
async fn what_stands_beside_an_entry_is_over_with_it() {
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    let now = AtomicU64::new(0);
    let (invoices, addresses) = (Repo::<Invoice>::new(&cache, &now), Repo::<Address>::new(&cache, &now));
    for round in 1..10 {
        invoices.version(How::Alone).await;
        addresses.version(How::Alone).await;
        let names: Vec<String> = server.send(&[b"KEYS", b"*:row:1"]).await;
        let [name] = names.as_slice() else { panic!("one key for both types: {names:?}") };
        now.store(round, Ordering::SeqCst);
        if round % 2 == 0 {
            let _: bool = server.send(&[b"PEXPIRE", name.as_bytes(), b"1"]).await;
            eventually("it has ended", async || server.send::<u64>(&[b"EXISTS", name.as_bytes()]).await == 0).await;
        } else {
            let _: u64 = server.send(&[b"UNLINK", name.as_bytes()]).await;
        }
        let seen = if round % 3 == 0 {
            [invoices.version(How::Alone).await, addresses.version(How::Alone).await]
        } else {
            [addresses.version(How::Alone).await, invoices.version(How::Alone).await]
        };
        assert_eq!(seen, [round; 2]);
    }
}

/// The lease of one build stands under the key. What the other build has loaded beside that lease also stands beside
/// its value.
#[tokio::test]
async fn no_build_waits_for_the_load_of_another() {
    let server = RedisServer::start();
    let cache = |version| {
        let budget = Duration::from_secs(5);
        Cache::builder().namespace("cache").redis(server.url()).budget(budget).version(version).build().unwrap()
    };
    let (older, newer) = (cache(1), [cache(2), cache(2)]);
    let ((begin, begun), (end, ended)) = (oneshot::channel(), oneshot::channel::<()>());
    let (loader, loads) = (older.clone(), AtomicU64::new(0));
    let held = tokio::spawn(async move {
        let load = || async {
            begin.send(()).unwrap();
            ended.await.unwrap();
            Ok::<u64, ()>(1)
        };
        loader.entry("row").get_or_load(load).await
    });
    begun.await.unwrap();
    let read = async |cache: &Cache| {
        let load = || async { Ok::<_, ()>(2 + loads.fetch_add(1, Ordering::SeqCst)) };
        let value = cache.entry("row").get_or_load(load).await.unwrap();
        cache.flush().await;
        value
    };
    assert_eq!((read(&newer[0]).await, read(&newer[1]).await), (2, 2), "one load for both of a build");
    end.send(()).unwrap();
    assert_eq!(held.await.unwrap(), Ok(1));
    older.flush().await;
    assert_eq!((read(&newer[0]).await, read(&newer[1]).await, read(&older).await), (2, 2, 1));
    assert_eq!(loads.into_inner(), 1);
}
