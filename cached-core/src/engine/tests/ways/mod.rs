//! One rule, every way to read: one by one and as a batch, by the key alone, with tags that the call tells, with an event, and with
//! tags that only the value tells; with and without the near cache. A batch repeats in code of its own what a single call does,
//! so what is tested of one is tested of all.

mod changes;
mod lives;
mod pending;
mod untold;

use super::*;
use crate::invalidation::{Invalidation, Outcome};
use crate::{CacheEvent, redis_cached, redis_put};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug, CacheEvent)]
struct Changed {
    id: u64,
}

/// Reads the rows of these ids; those that are not cached have this version.
type Read = for<'a> fn(&'a Source, &'a [u64], u64) -> Pin<Box<dyn Future<Output = Vec<u64>> + Send + 'a>>;

/// Writes a row through.
type Put = for<'a> fn(&'a Source, u64, u64) -> Pin<Box<dyn Future<Output = u64> + Send + 'a>>;

/// How long a row lives: longer than a tag does whose entries nothing is known of.
const LIFE: Duration = Duration::from_secs(30 * 24 * 3_600);

/// A row is its version and, in the thousands, its id.
fn row(id: u64, version: u64) -> u64 {
    1_000 * id + version
}

/// A cache, and how many rows were loaded.
#[derive(Debug)]
struct Source {
    on: Subject,
    cache: Cache,
    loaded: AtomicUsize,
}

/// One way to read.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    read: Read,
    put: Put,
    /// What is written when a row changes.
    changed: fn(u64) -> Invalidation,
    is_batch: bool,
    /// For how long rows are kept in the near cache.
    local: &'static str,
    /// Looks that a hit takes: one for the entry, and one for the tags that it names.
    looks: usize,
}

macro_rules! ways {
    // The options name the arguments, so those have to come from where they do.
    ($id:ident of $ids:ident; $($name:ident, $changed:expr, $looks:literal, local = $local:literal, ($($option:tt)*);)*) => {
        $(mod $name {
            use super::*;

            #[redis_cached(
                key = "row:<id>", skip(on, version), cache = on.cache, ttl = |_: &u64| LIFE, local = $local, $($option)*
            )]
            async fn one(on: &Source, $id: u64, version: u64) -> u64 {
                on.loaded.fetch_add(1, Ordering::SeqCst);
                row($id, version)
            }

            #[redis_cached(
                key = "row:<id>", batch = $ids, skip(on, version), cache = on.cache, ttl = |_: &u64| LIFE, local = $local,
                $($option)*
            )]
            async fn many(on: &Source, $ids: &[u64], version: u64) -> HashMap<u64, u64> {
                on.loaded.fetch_add($ids.len(), Ordering::SeqCst);
                $ids.iter().map(|id| (*id, row(*id, version))).collect()
            }

            #[redis_put(Changed { id: $id }, key = "row:<id>", cache = on.cache, ttl = |_: &u64| LIFE, $($option)*)]
            async fn put(on: &Source, $id: u64, version: u64) -> u64 {
                on.loaded.fetch_add(0, Ordering::SeqCst);
                row($id, version)
            }

            const ONE: Way = Way {
                name: concat!(stringify!($name), ", one by one"),
                read: |on, ids, version| Box::pin(async move {
                    let mut rows = Vec::new();
                    for id in ids {
                        rows.push(one(on, *id, version).await);
                    }
                    rows
                }),
                put: |on, id, version| Box::pin(put(on, id, version)),
                changed: $changed,
                is_batch: false,
                local: $local,
                looks: $looks,
            };

            pub(super) const WAYS: [Way; 2] = [ONE, Way {
                name: concat!(stringify!($name), ", as a batch"),
                read: |on, ids, version| Box::pin(async move {
                    let rows = many(on, ids, version).await;
                    ids.iter().map(|id| rows[id]).collect()
                }),
                is_batch: true,
                ..ONE
            }];
        })*

        /// All of them.
        fn ways() -> impl Iterator<Item = Way> {
            [$($name::WAYS),*].into_iter().flatten()
        }
    };
}

fn by_key(id: u64) -> Invalidation {
    Invalidation::new().key(format!("row:{id}"))
}

fn by_event(id: u64) -> Invalidation {
    Invalidation::new().event(&Changed { id })
}

/// The second of the tags that the call tells.
fn by_told_tag(id: u64) -> Invalidation {
    Invalidation::new().tag(format!("second:{id}"))
}

/// The second of the tags that only the value tells.
fn by_named_tag(id: u64) -> Invalidation {
    Invalidation::new().tag(format!("b:{id}"))
}

ways! {
    id of ids;
    plain, by_key, 1, local = "off", ();
    plain_near, by_key, 1, local = "30s", ();
    event, by_event, 1, local = "off", (invalidate_on = Changed { id });
    event_near, by_event, 1, local = "30s", (invalidate_on = Changed { id });
    told, by_told_tag, 1, local = "off", (tags = ["first", "second:<id>"]);
    told_near, by_told_tag, 1, local = "30s", (tags = ["first", "second:<id>"]);
    named, by_named_tag, 2, local = "off", (tags = names);
    named_near, by_named_tag, 2, local = "30s", (tags = names);
    all, by_named_tag, 2, local = "off", (invalidate_on = Changed { id }, tags = ["first", "second:<id>", names]);
    all_near, by_named_tag, 2, local = "30s", (invalidate_on = Changed { id }, tags = ["first", "second:<id>", names]);
}

/// The tags that only the value tells.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as the attribute calls it")]
fn names(row: &u64) -> [String; 2] {
    let id = row / 1_000;
    [format!("a:{id}"), format!("b:{id}")]
}

/// Rows of which the middle one changes.
const IDS: [u64; 3] = [1, 2, 3];

impl Way {
    fn is_near(&self) -> bool {
        self.local != "off"
    }
}

impl Source {
    fn new() -> Arc<Self> {
        Self::with(|builder| builder)
    }

    fn with(settings: impl FnOnce(CacheBuilder) -> CacheBuilder) -> Arc<Self> {
        let on = Subject::with(settings);
        Arc::new(Self { cache: on.cache.clone(), on, loaded: AtomicUsize::new(0) })
    }

    /// How many rows were loaded since this was last asked.
    fn loads(&self) -> usize {
        self.loaded.swap(0, Ordering::SeqCst)
    }

    /// All rows are cached with this version and, where there is a near cache, kept.
    async fn warm(&self, way: Way, version: u64) {
        for _ in 0..2 {
            assert_eq!((way.read)(self, &IDS, version).await, versions([version; 3]), "{}", way.name);
            self.cache.settled().await;
        }
        assert_eq!(self.loads(), 3, "{}: the second time they are found", way.name);
    }

    /// Reads all rows as a task that has come as far as it can without any time passing.
    async fn reading(self: &Arc<Self>, way: Way, version: u64) -> JoinHandle<Vec<u64>> {
        let source = Arc::clone(self);
        let read = tokio::spawn(async move { (way.read)(&source, &IDS, version).await });
        tasks().await;
        read
    }
}

/// The rows with these versions.
fn versions(versions: [u64; 3]) -> Vec<u64> {
    IDS.iter().zip(versions).map(|(id, version)| row(*id, version)).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_cached_is_found_in_as_few_looks_as_there_can_be() {
    for way in ways() {
        let on = Source::new();
        on.warm(way, 1).await;
        let looks = |on: &Source| [Step::Get, Step::GetAll, Step::GetWatched].map(|step| on.on.store.count(step));
        let before = looks(&on);
        assert_eq!((way.read)(&on, &IDS, 9).await, versions([1; 3]), "{}", way.name);
        let taken: usize = looks(&on).iter().zip(before).map(|(now, before)| now - before).sum();
        let expected = match (way.is_near(), way.is_batch) {
            (true, _) => 0,
            (false, true) => way.looks,
            (false, false) => 3 * way.looks,
        };
        assert_eq!((taken, on.loads()), (expected, 0), "{}", way.name);
    }
}
