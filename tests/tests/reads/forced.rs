//! Forced refreshes: a call loads and stores though there is a value, which is served meanwhile. On the memory store and
//! on Redis, by two caches side by side, like two processes.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::store::{MemoryStore, RedisStore, Store};
use cached_core::{Cache, Clock, Invalidation, Outcome, UnstoredReason, entry, redis_cached, refresh};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use tests::RedisServer;
use tokio::sync::{Notify, Semaphore};

/// A row in a database. Loads may be held up.
#[derive(Debug)]
struct Row {
    version: AtomicU64,
    loads: AtomicU64,
    is_away: std::sync::atomic::AtomicBool,
    /// Loads that may go on; closed when all may.
    turns: Semaphore,
    begun: Notify,
}

impl Row {
    /// Its loads wait for their turn.
    fn new(version: u64) -> Arc<Self> {
        Arc::new(Self {
            version: AtomicU64::new(version),
            loads: AtomicU64::new(0),
            is_away: false.into(),
            turns: Semaphore::new(0),
            begun: Notify::new(),
        })
    }

    async fn load(&self) -> Result<u64, String> {
        self.loads.fetch_add(1, SeqCst);
        // As it is when the load begins.
        let version = self.version.load(SeqCst);
        self.begun.notify_one();
        if let Ok(turn) = self.turns.acquire().await {
            turn.forget();
        }
        if self.is_away.load(SeqCst) { Err("the database is away".to_owned()) } else { Ok(version) }
    }
}

#[derive(Debug, Clone)]
struct Process {
    cache: Cache,
    row: Arc<Row>,
}

impl Process {
    #[redis_cached(key = "row", cache = self.cache)]
    async fn plain(&self) -> Result<u64, String> {
        self.row.load().await
    }

    #[redis_cached(key = "row", tags = ["rows"], cache = self.cache)]
    async fn tagged(&self) -> Result<u64, String> {
        self.row.load().await
    }

    #[redis_cached(key = "row", tags = |_: &u64| ["rows"], cache = self.cache)]
    async fn named(&self) -> Result<u64, String> {
        self.row.load().await
    }

    #[redis_cached(key = "row", local = "1m", cache = self.cache)]
    async fn near(&self) -> Result<u64, String> {
        self.row.load().await
    }

    #[redis_cached(key = "row", spawn, stale_if_error = "1m", load_timeout = "1ms", cache = self.cache)]
    async fn spawned(&self) -> Result<u64, String> {
        self.row.load().await
    }

    #[redis_cached(key = "row", stale_while_revalidate = "1m", refresh = "background", cache = self.cache)]
    async fn in_background(&self) -> Result<u64, String> {
        self.row.load().await
    }

    #[redis_cached(key = "row:<id>", batch = ids, cache = self.cache)]
    async fn many(&self, ids: &[u64]) -> Result<HashMap<u64, u64>, String> {
        let version = self.row.load().await?;
        Ok(ids.iter().map(|id| (*id, version)).collect())
    }
}

struct Subject {
    here: Process,
    there: Process,
    clock: Option<Clock>,
    _server: Option<RedisServer>,
}

impl Subject {
    fn memory() -> Self {
        let clock = Clock::manual();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(1 << 24, clock.clone()));
        Self::on(|| Arc::clone(&store), Some(clock), None)
    }

    fn redis() -> Self {
        let server = RedisServer::start();
        let url = server.url();
        Self::on(|| Arc::new(RedisStore::new(&url).unwrap()), None, Some(server))
    }

    fn on(store: impl Fn() -> Arc<dyn Store>, clock: Option<Clock>, server: Option<RedisServer>) -> Self {
        let row = Row::new(1);
        row.turns.close();
        let process = || {
            let cache = Cache::builder().namespace("cache").budget(Duration::from_secs(5)).store(store());
            let cache = if let Some(clock) = &clock { cache.clock(clock.clone()) } else { cache };
            Process { cache: cache.build().unwrap(), row: Arc::clone(&row) }
        };
        Self { here: process(), there: process(), clock, _server: server }
    }

    /// From now on loads wait for their turn.
    fn hold(&mut self) {
        let held = Row::new(self.row().version.load(SeqCst));
        (self.here.row, self.there.row) = (Arc::clone(&held), held);
    }

    fn row(&self) -> &Row {
        &self.here.row
    }

    /// The row changes, and nobody tells the cache.
    fn changes(&self) -> u64 {
        self.row().version.fetch_add(1, SeqCst) + 1
    }

    async fn settled(&self) {
        self.here.cache.flush().await;
        self.there.cache.flush().await;
    }
}

macro_rules! on_every_store {
    ($($name:ident)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Subject::memory()).await;
            })*
        }

        mod redis {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Subject::redis()).await;
            })*
        }
    };
}

on_every_store! {
    every_kind_of_function_is_refreshed_by_force
    the_old_value_is_served_meanwhile
    many_ids_are_loaded_anew
    a_load_that_began_before_is_not_stored
    a_load_that_fails_keeps_the_old_value
    a_bracket_beside_it_wins
    of_two_processes_the_later_load_stays
    entries_by_hand_are_refreshed_by_force
    what_is_read_after_a_refresh_is_as_new_as_when_it_began
}

async fn every_kind_of_function_is_refreshed_by_force(on: Subject) {
    macro_rules! each {
        ($($name:ident)*) => {
            $(
                let old = on.here.$name().await.unwrap();
                on.settled().await;
                assert_eq!((on.here.$name().await, on.there.$name().await), (Ok(old), Ok(old)), stringify!($name));
                let new = on.changes();
                assert_eq!(on.here.$name().await, Ok(old), stringify!($name));
                assert_eq!(refresh(on.here.$name()).await, Ok(new), stringify!($name));
                assert_eq!((on.here.$name().await, on.there.$name().await), (Ok(new), Ok(new)), stringify!($name));
                let entry: cached_core::Entry<u64> = entry!(on.here.$name()).unwrap();
                entry.remove().await.unwrap();
            )*
        };
    }
    each!(plain tagged named spawned in_background);
    // What the other process keeps near goes when it is told of the change.
    let old = on.here.near().await.unwrap();
    on.settled().await;
    tests::eventually("it is kept near", async || {
        on.here.near().await.unwrap();
        on.there.near().await.unwrap();
        on.here.cache.stats().site("Process::near").unwrap().near_hits > 0
            && on.there.cache.stats().site("Process::near").unwrap().near_hits > 0
    })
    .await;
    let new = on.changes();
    assert_eq!((on.here.near().await, on.there.near().await), (Ok(old), Ok(old)));
    assert_eq!(refresh(on.here.near()).await, Ok(new));
    assert_eq!(on.here.near().await, Ok(new), "this process has no older copy");
    tests::eventually("the other one is told", async || on.there.near().await == Ok(new)).await;
}

async fn the_old_value_is_served_meanwhile(mut on: Subject) {
    on.here.plain().await.unwrap();
    on.settled().await;
    on.hold();
    let new = on.changes();
    let here = on.here.clone();
    let forced = tokio::spawn(async move { refresh(here.plain()).await });
    on.row().begun.notified().await;
    for _ in 0..10 {
        assert_eq!((on.here.plain().await, on.there.plain().await), (Ok(1), Ok(1)));
    }
    on.row().turns.add_permits(1);
    assert_eq!(forced.await.unwrap(), Ok(new));
    assert_eq!((on.here.plain().await, on.there.plain().await), (Ok(new), Ok(new)));
    assert_eq!(on.row().loads.load(SeqCst), 1);
}

async fn many_ids_are_loaded_anew(on: Subject) {
    let all = |version| Ok((0..50).map(|id| (id, version)).collect::<HashMap<u64, u64>>());
    let ids: Vec<u64> = (0..50).collect();
    assert_eq!(on.here.many(&ids[..25]).await.unwrap().len(), 25);
    on.settled().await;
    let new = on.changes();
    assert_eq!(refresh(on.here.many(&ids)).await, all(new));
    on.changes();
    assert_eq!((on.here.many(&ids).await, on.there.many(&ids).await), (all(new), all(new)));
    assert_eq!(on.row().loads.load(SeqCst), 2);
}

async fn a_load_that_began_before_is_not_stored(mut on: Subject) {
    on.hold();
    let there = on.there.clone();
    let old = tokio::spawn(async move { there.plain().await });
    on.row().begun.notified().await;
    let new = on.changes();
    let here = on.here.clone();
    let forced = tokio::spawn(async move { refresh(here.plain()).await });
    on.row().begun.notified().await;
    on.row().turns.add_permits(2);
    assert_eq!((old.await.unwrap(), forced.await.unwrap()), (Ok(1), Ok(new)));
    on.settled().await;
    assert_eq!((on.here.plain().await, on.there.plain().await), (Ok(new), Ok(new)));
    assert_eq!(on.there.cache.stats().site("Process::plain").unwrap().unstored[&UnstoredReason::LeaseLost], 1);
}

async fn a_load_that_fails_keeps_the_old_value(on: Subject) {
    assert_eq!(on.here.plain().await, Ok(1));
    on.settled().await;
    on.row().is_away.store(true, SeqCst);
    for _ in 0..3 {
        assert_eq!(refresh(on.here.plain()).await, Err("the database is away".to_owned()));
        assert_eq!((on.here.plain().await, on.there.plain().await), (Ok(1), Ok(1)));
    }
    // A fallback is for calls that want whatever there is.
    assert!(refresh(on.here.spawned()).await.is_err());
    on.row().is_away.store(false, SeqCst);
    let new = on.changes();
    assert_eq!((refresh(on.here.plain()).await, on.there.plain().await), (Ok(new), Ok(new)));
}

async fn a_bracket_beside_it_wins(mut on: Subject) {
    on.here.plain().await.unwrap();
    on.settled().await;
    on.hold();
    let here = on.here.clone();
    let forced = tokio::spawn(async move { refresh(here.plain()).await });
    on.row().begun.notified().await;
    let (there, row) = (on.there.clone(), Arc::clone(&on.there.row));
    let write = async move {
        let version = row.version.fetch_add(1, SeqCst) + 1;
        // A forced refresh that begins now loads, and nothing is stored.
        row.turns.add_permits(2);
        assert_eq!(refresh(there.plain()).await, Ok(version));
        Ok::<_, ()>(version)
    };
    let (written, outcome) = on.there.cache.write(Invalidation::new().key("row"), write).await;
    assert_eq!((written, outcome), (Ok(2), Outcome::Applied));
    assert_eq!(forced.await.unwrap(), Ok(1), "it is what the row was when it was loaded");
    on.settled().await;
    on.row().turns.close();
    assert_eq!((on.here.plain().await, on.there.plain().await), (Ok(2), Ok(2)), "and it was not stored");
    assert_eq!(on.row().loads.load(SeqCst), 3);
}

async fn of_two_processes_the_later_load_stays(mut on: Subject) {
    on.here.plain().await.unwrap();
    on.settled().await;
    on.hold();
    let here = on.here.clone();
    let first = tokio::spawn(async move { refresh(here.plain()).await });
    on.row().begun.notified().await;
    let new = on.changes();
    let there = on.there.clone();
    let second = tokio::spawn(async move { refresh(there.plain()).await });
    on.row().begun.notified().await;
    on.row().turns.add_permits(2);
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (Ok(1), Ok(new)));
    assert_eq!((on.here.plain().await, on.there.plain().await), (Ok(new), Ok(new)));
}

async fn entries_by_hand_are_refreshed_by_force(on: Subject) {
    let call = |version: u64| on.here.cache.entry("by hand").get_or_load(move || async move { Ok::<_, ()>(version) });
    assert_eq!(call(1).await, Ok(1));
    on.settled().await;
    assert_eq!((call(2).await, refresh(call(3)).await, call(4).await), (Ok(1), Ok(3), Ok(3)));
}

/// A consumer of the source's events: whatever loads, refreshes and evictions go on beside it, after its refresh nobody
/// reads what the source no longer had when it began.
async fn what_is_read_after_a_refresh_is_as_new_as_when_it_began(on: Subject) {
    let is_over = Arc::new(AtomicU64::new(0));
    let mut others = tokio::task::JoinSet::new();
    for process in [&on.here, &on.there] {
        let (process, is_over) = (process.clone(), Arc::clone(&is_over));
        others.spawn(async move {
            while is_over.load(SeqCst) == 0 {
                process.in_background().await.unwrap();
                refresh(process.in_background()).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
    }
    let entry: cached_core::Entry<u64> = entry!(on.there.in_background()).unwrap();
    for round in 0..200 {
        let new = on.changes();
        if round % 7 == 0 {
            entry.remove().await.unwrap();
        }
        assert!(refresh(on.here.in_background()).await.unwrap() >= new);
        // A forced refresh of the other process may have taken over, and is about to store what is newer still.
        tests::eventually("it is stored", async || on.there.in_background().await.unwrap() >= new).await;
        if let Some(clock) = &on.clock {
            clock.advance(Duration::from_secs(60));
        }
    }
    is_over.store(1, SeqCst);
    while others.join_next().await.is_some() {}
    let last = on.changes();
    assert_eq!(refresh(on.here.in_background()).await, Ok(last));
    assert_eq!((on.here.in_background().await, on.there.in_background().await), (Ok(last), Ok(last)));
}
