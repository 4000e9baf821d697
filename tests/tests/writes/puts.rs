//! A put never stores a value older than one that another write has invalidated, whatever overlaps.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, CacheEvent, Invalidation, Outcome, redis_cached, redis_put};
use futures_util::future::{FutureExt, LocalBoxFuture};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tests::{RedisServer, patient_cache};
use tokio::sync::oneshot;

const ROUNDS: u64 = 200;
const ID: u64 = 7;

/// Not generic: a type parameter would make entries depend on the load's type as well.
type Work<'a> = LocalBoxFuture<'a, Item>;

#[derive(CacheEvent)]
struct ItemChanged {
    id: u64,
}

#[derive(CacheEvent)]
struct ShopChanged;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Item {
    id: u64,
    version: u64,
}

/// A row that reads and writes mean.
#[derive(Debug, Default)]
struct Row(AtomicU64);

impl Row {
    fn now(&self) -> Item {
        Item { id: ID, version: self.0.load(Ordering::SeqCst) }
    }

    fn commit(&self) -> Item {
        Item { id: ID, version: self.0.fetch_add(1, Ordering::SeqCst) + 1 }
    }
}

#[redis_cached(
    key = "item:<id>",
    skip(cache, load),
    invalidate_on = [ItemChanged { id }, ShopChanged],
    tags = "shelf:<id>",
    cache = cache
)]
async fn read(cache: &Cache, id: u64, load: Work<'_>) -> Item {
    load.await
}

/// Changes a part of what its own entry depends on.
#[redis_put(
    key = "item:<id>",
    ItemChanged { id },
    invalidate_on = [ItemChanged { id }, ShopChanged],
    tags = "shelf:<id>",
    cache = cache
)]
async fn put(cache: &Cache, id: u64, write: Work<'_>) -> Item {
    write.await
}

fn of_item(item: &Item) -> [String; 1] {
    [format!("of:{}", item.id)]
}

#[redis_cached(key = "named:<id>", skip(cache, load), tags = of_item, cache = cache)]
async fn read_named(cache: &Cache, id: u64, load: Work<'_>) -> Item {
    load.await
}

#[redis_put(key = "named:<id>", tags = of_item, cache = cache)]
async fn put_named(cache: &Cache, id: u64, write: Work<'_>) -> Item {
    write.await
}

/// Entries with call tags, and entries with value tags.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Told,
    Named,
}

const KINDS: [Kind; 2] = [Kind::Told, Kind::Named];

impl Kind {
    fn key(self) -> String {
        match self {
            Self::Told => format!("item:{ID}"),
            Self::Named => format!("named:{ID}"),
        }
    }

    async fn read(self, cache: &Cache, load: impl Future<Output = Item>) -> Item {
        let item = match self {
            Self::Told => read(cache, ID, load.boxed_local()).await,
            Self::Named => read_named(cache, ID, load.boxed_local()).await,
        };
        cache.flush().await;
        item
    }

    async fn put(self, cache: &Cache, write: impl Future<Output = Item>) {
        match self {
            Self::Told => put(cache, ID, write.boxed_local()).await,
            Self::Named => put_named(cache, ID, write.boxed_local()).await,
        };
    }

    /// The ways in which another writer invalidates it.
    fn ways(self) -> Vec<Invalidation> {
        let key = Invalidation::new().key(self.key());
        match self {
            Self::Told => {
                let tag = Invalidation::new().tag(format!("shelf:{ID}"));
                vec![key, tag, (&ItemChanged { id: ID }).into(), (&ShopChanged).into()]
            }
            Self::Named => vec![key, Invalidation::new().tag(format!("of:{ID}"))],
        }
    }
}

struct World {
    server: RedisServer,
    here: Cache,
    there: Cache,
    row: Arc<Row>,
}

impl World {
    fn new() -> Self {
        let server = RedisServer::start();
        let (here, there) = (patient_cache(&server.url()), patient_cache(&server.url()));
        Self { server, here, there, row: Arc::default() }
    }

    async fn is_fresh(&self, kind: Kind) {
        for cache in [&self.here, &self.there, &self.here] {
            let item = kind.read(cache, async { self.row.now() }).await;
            assert_eq!(item, self.row.now(), "stale: {kind:?}");
        }
    }

    /// Some rounds of a put in `here` that another write overlaps after the commit.
    async fn rounds(&self, overlap: impl AsyncFn(Kind, Invalidation)) {
        for _ in 0..ROUNDS / 4 {
            for kind in KINDS {
                for what in kind.ways() {
                    kind.put(&self.here, async {
                        let older = self.row.commit();
                        overlap(kind, what).await;
                        older
                    })
                    .await;
                    self.is_fresh(kind).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_put_that_nothing_overlaps_is_served_and_invalidated() {
    let world = World::new();
    let stored = |site| world.here.stats().site(site).unwrap().stored;
    for kind in KINDS {
        for what in kind.ways() {
            kind.put(&world.here, async { world.row.commit() }).await;
            let served = async { panic!("it was put, with the tags that the write invalidates itself") };
            assert_eq!(kind.read(&world.there, served).await, world.row.now());
            world.row.commit();
            assert_eq!(world.there.invalidate(what).await, Outcome::Applied);
            world.is_fresh(kind).await;
        }
    }
    assert_eq!([stored("put"), stored("put_named")], [4, 2]);
}

#[tokio::test]
async fn two_puts_in_the_reverse_order_of_their_commits() {
    let world = World::new();
    world.rounds(async |kind, _| kind.put(&world.there, async { world.row.commit() }).await).await;
}

#[tokio::test]
async fn a_put_overlapped_by_a_write_that_invalidates_after_it() {
    let world = World::new();
    world
        .rounds(async |_, what| {
            world.row.commit();
            assert_eq!(world.there.invalidate(what).await, Outcome::Applied);
        })
        .await;
}

#[tokio::test]
async fn a_put_overlapped_by_a_bracket_inside_of_it() {
    let world = World::new();
    world
        .rounds(async |_, what| {
            let (_, outcome) = world.there.write(what, async { world.row.commit() }).await;
            assert_eq!(outcome, Outcome::Applied);
        })
        .await;
}

#[tokio::test]
async fn a_put_overlapped_by_a_plain_del_from_outside() {
    let world = World::new();
    world
        .rounds(async |kind, _| {
            world.row.commit();
            let key = format!("cache:k:{}", kind.key());
            let _: u64 = world.server.send(&[b"DEL", key.as_bytes()]).await;
        })
        .await;
}

/// A bracket of another process that has begun, and that commits and ends on demand.
struct Bracket {
    go_on: oneshot::Sender<()>,
    write: tokio::task::JoinHandle<()>,
}

impl Bracket {
    async fn begin(world: &World, what: Invalidation) -> Self {
        let (tell, has_begun) = oneshot::channel();
        let (go_on, may_commit) = oneshot::channel();
        let (cache, row) = (world.there.clone(), Arc::clone(&world.row));
        let write = tokio::spawn(async move {
            let body = async {
                tell.send(()).unwrap();
                may_commit.await.unwrap();
                row.commit();
            };
            assert_eq!(cache.write(what, body).await.1, Outcome::Applied);
        });
        has_begun.await.unwrap();
        Self { go_on, write }
    }

    async fn commit_and_end(self) {
        self.go_on.send(()).unwrap();
        self.write.await.unwrap();
    }
}

#[tokio::test]
async fn a_put_overlapped_by_a_bracket_that_began_before_it() {
    let world = World::new();
    for _ in 0..ROUNDS / 4 {
        for kind in KINDS {
            for what in kind.ways() {
                let bracket = Bracket::begin(&world, what).await;
                kind.put(&world.here, async {
                    let older = world.row.commit();
                    bracket.commit_and_end().await;
                    older
                })
                .await;
                world.is_fresh(kind).await;
            }
        }
    }
}

/// Its END must not end the other writer's bracket.
#[tokio::test]
async fn a_put_overlapped_by_a_bracket_that_ends_after_it() {
    let world = World::new();
    for _ in 0..ROUNDS / 4 {
        for kind in KINDS {
            for what in kind.ways() {
                let mut bracket = None;
                kind.put(&world.here, async {
                    let older = world.row.commit();
                    bracket = Some(Bracket::begin(&world, what).await);
                    older
                })
                .await;
                // Between the two ENDs nothing is stored ..
                kind.read(&world.there, async { world.row.now() }).await;
                // .. so there is a load, which ends after the second.
                let load = async {
                    let older = world.row.now();
                    bracket.take().unwrap().commit_and_end().await;
                    older
                };
                assert_ne!(kind.read(&world.here, load).await, world.row.now(), "it had to load");
                world.is_fresh(kind).await;
            }
        }
    }
}

/// The tag is known only when the load has ended.
#[tokio::test]
async fn a_value_tag_invalidated_during_the_load() {
    let world = World::new();
    for round in 0..ROUNDS {
        let _: u64 = world.server.send(&[b"DEL", b"cache:k:named:7"]).await;
        let load = async {
            let older = world.row.now();
            world.row.commit();
            let writer = if round % 2 == 0 { &world.here } else { &world.there };
            let what = Invalidation::new().tag(format!("of:{ID}"));
            assert_eq!(writer.invalidate(what).await, Outcome::Applied);
            older
        };
        Kind::Named.read(&world.here, load).await;
        world.is_fresh(Kind::Named).await;
    }
}
