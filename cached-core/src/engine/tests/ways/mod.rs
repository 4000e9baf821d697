//! The same rules for every way to read: one by one and as a batch; by the key alone, with call tags, with an event,
//! and with value tags; with and without the near cache. A batch has code of its own for what a single call does, so
//! each rule is tested for all ways.

mod changes;
mod lives;
mod own_writes;
mod queued;

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

/// Reads the rows of these ids. Rows that are not cached are loaded with this version.
type Read = for<'a> fn(&'a Source, &'a [u64], u64) -> Pin<Box<dyn Future<Output = Vec<u64>> + Send + 'a>>;

/// Puts a row.
type Put = for<'a> fn(&'a Source, u64, u64) -> Pin<Box<dyn Future<Output = u64> + Send + 'a>>;

/// How long a row lives: longer than a tag that knows nothing of its entries.
const LIFE: Duration = Duration::from_secs(30 * 24 * 3_600);

/// A row is its id, times a thousand, plus its version.
fn row(id: u64, version: u64) -> u64 {
    1_000 * id + version
}

/// A cache that counts loaded rows.
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
    /// What to invalidate when a row changes.
    changed: fn(u64) -> Invalidation,
    is_batch: bool,
    /// For how long rows are kept in the near cache.
    local: &'static str,
    /// How many reads a hit takes: one for the entry, and one for its value tags.
    reads: usize,
}

macro_rules! ways {
    // The options name the arguments, so both have to come from the same place.
    ($id:ident of $ids:ident; $($name:ident, $changed:expr, $reads:literal, local = $local:literal, ($($option:tt)*);)*) => {
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
                reads: $reads,
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

/// The second call tag.
fn by_call_tag(id: u64) -> Invalidation {
    Invalidation::new().tag(format!("second:{id}"))
}

/// The second value tag.
fn by_value_tag(id: u64) -> Invalidation {
    Invalidation::new().tag(format!("b:{id}"))
}

ways! {
    id of ids;
    plain, by_key, 1, local = "off", ();
    plain_near, by_key, 1, local = "30s", ();
    event, by_event, 1, local = "off", (invalidate_on = Changed { id });
    event_near, by_event, 1, local = "30s", (invalidate_on = Changed { id });
    call_tags, by_call_tag, 1, local = "off", (tags = ["first", "second:<id>"]);
    call_tags_near, by_call_tag, 1, local = "30s", (tags = ["first", "second:<id>"]);
    value_tags, by_value_tag, 2, local = "off", (tags = names);
    value_tags_near, by_value_tag, 2, local = "30s", (tags = names);
    all, by_value_tag, 2, local = "off", (invalidate_on = Changed { id }, tags = ["first", "second:<id>", names]);
    all_near, by_value_tag, 2, local = "30s", (invalidate_on = Changed { id }, tags = ["first", "second:<id>", names]);
}

/// The value tags.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as the attribute calls it")]
fn names(row: &u64) -> [String; 2] {
    let id = row / 1_000;
    [format!("a:{id}"), format!("b:{id}")]
}

/// The ids of the rows. The middle row changes.
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

    /// Caches all rows with this version and, where there is a near cache, keeps them there.
    async fn warm(&self, way: Way, version: u64) {
        for _ in 0..2 {
            assert_eq!((way.read)(self, &IDS, version).await, versions([version; 3]), "{}", way.name);
            self.cache.flush().await;
        }
        assert_eq!(self.loads(), 3, "{}: the second read hits", way.name);
    }

    /// Starts to read all rows, as a task that has run as far as it can without time passing.
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
async fn a_hit_takes_as_few_reads_as_possible() {
    for way in ways() {
        let on = Source::new();
        on.warm(way, 1).await;
        let reads = |on: &Source| [Step::Get, Step::GetAll, Step::GetWatched].map(|step| on.on.store.count(step));
        let before = reads(&on);
        assert_eq!((way.read)(&on, &IDS, 9).await, versions([1; 3]), "{}", way.name);
        let taken: usize = reads(&on).iter().zip(before).map(|(now, before)| now - before).sum();
        let expected = match (way.is_near(), way.is_batch) {
            (true, _) => 0,
            (false, true) => way.reads,
            (false, false) => 3 * way.reads,
        };
        assert_eq!((taken, on.loads()), (expected, 0), "{}", way.name);
    }
}
