//! A server that is healthy but slow: each answer comes 85 ms late, and the budget of a call is 100 ms. All that a call
//! needs of the store fits into one budget: two steps of one call never take a whole budget each.
//!
//! The calls are every public method of a cache that waits for the store, and every attribute with the options that add
//! steps to it. They run on a slow store whose time is paused, where the bound is exact, and over a slow network to a
//! real server. `clear` and `delete_matching` are missing: they take as many steps as there are keys.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use bytes::Bytes;
use cached_core::store::{
    self, Acquired, Capabilities, Each, Ended, Head, MemoryStore, Ping, Store, StoreFuture, Swept, Watch, Watched,
    Watcher,
};
use cached_core::{
    BreakerState, ByHand, Cache, CacheEvent, Clock, Entry, FaultKind, Invalidation, StoreError, Untyped, redis_cached,
    redis_invalidate, redis_put,
};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tests::{Network, Pass, RedisServer, applied, eventually, forward};
use tokio::time::{Instant, timeout};

const LATE: Duration = Duration::from_millis(85);
const BUDGET: Duration = Duration::from_millis(100);
/// The last step of a write is tried with a tenth of the budget, whatever was spent before.
const OF_A_WRITE: Duration = Duration::from_millis(110);
/// The time that timers and a busy machine may add.
const SLACK: Duration = Duration::from_millis(60);

#[derive(CacheEvent)]
struct Changed {
    id: u64,
}

type Found = Result<Option<u64>, String>;

#[redis_cached(key = "slow-plain:<id>")]
async fn plain(id: u64) -> Found {
    Ok(Some(id))
}

#[redis_cached(key = "slow-listening:<id>", invalidate_on = Changed { id }, tags = ["shelf:<id>"])]
async fn listening(id: u64) -> Found {
    Ok(Some(id))
}

#[redis_cached(key = "slow-named:<id>", tags = |id: &u64| [format!("row:{id}")])]
async fn named(id: u64) -> Found {
    Ok(Some(id))
}

#[redis_cached(key = "slow-near:<id>", local = "30s", invalidate_on = Changed { id }, tags = |id: &u64| [format!("row:{id}")])]
async fn near(id: u64) -> Found {
    Ok(Some(id))
}

#[redis_cached(key = "slow-stale:<id>", ttl = "1ms", jitter = 0.0, stale_while_revalidate = "10m", tags = ["shelf:<id>"])]
async fn stale(id: u64) -> Found {
    Ok(Some(id))
}

#[redis_cached(
    key = "slow-spare:<id>",
    ttl = "1ms",
    jitter = 0.0,
    stale_if_error = "10m",
    load_timeout = "1s",
    spawn,
    invalidate_on = Changed { id }
)]
async fn spare(id: u64) -> Found {
    Err(format!("no {id}"))
}

#[redis_cached(
    key = "slow-background:<id>",
    ttl = "1ms",
    jitter = 0.0,
    stale_while_revalidate = "10m",
    refresh = "background"
)]
async fn background(id: u64) -> Found {
    Ok(Some(id))
}

#[redis_cached(key = "slow-ahead:<id>", refresh_ahead)]
async fn ahead(id: u64) -> Found {
    Ok(Some(id))
}

#[redis_cached(key = "slow-many:<id>", batch = ids, tags = |id: &u64| [format!("row:{id}")])]
async fn many(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[redis_invalidate(Changed { id }, key = "slow-plain:<id>", tag = "shelf:<id>")]
async fn change(id: u64) -> u64 {
    id
}

#[redis_invalidate(Changed { id }, on_unavailable = "fail")]
async fn change_or_fail(id: u64) -> Result<u64, cached_core::CacheError> {
    Ok(id)
}

#[redis_invalidate(Changed { id: *ret }, mode = "after")]
async fn change_after(id: u64) -> u64 {
    id
}

#[redis_put(key = "slow-plain:<id>")]
async fn put_plain(id: u64) -> Found {
    Ok(Some(id))
}

#[redis_put(key = "slow-listening:<id>", Changed { id }, invalidate_on = Changed { id }, tags = ["shelf:<id>"])]
async fn put_listening(id: u64) -> Found {
    Ok(Some(id))
}

#[redis_put(key = "slow-named:<id>", tags = |id: &u64| [format!("row:{id}")])]
async fn put_named(id: u64) -> Found {
    Ok(Some(id))
}

type Calling<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// The name of a call, its bound, and the call.
type Named<'a> = (&'static str, Duration, Calling<'a>);

fn call<'a, T>(name: &'static str, most: Duration, call: impl Future<Output = T> + 'a) -> Named<'a> {
    (name, most, Box::pin(async move { drop(call.await) }))
}

/// All calls that read.
fn reads(cache: &Cache, id: u64) -> Vec<Named<'_>> {
    let depending = move |entry: Entry<Untyped, ByHand>| entry.tag("shelf").invalidate_on(&Changed { id });
    let read = |name, future: Calling<'static>| call(name, BUDGET, cache.scope(future));
    let load = || async { Ok::<_, String>(1_u64) };
    vec![
        call("get", BUDGET, cache.entry("by-hand").get::<u64>()),
        call("get_or_load", BUDGET, cache.entry("by-hand").get_or_load(load)),
        call("get_or_load with tags", BUDGET, depending(cache.entry("by-hand-tags")).get_or_load(load)),
        call(
            "get_or_load_option",
            BUDGET,
            depending(cache.entry("none")).get_or_load_option(|| async { Ok::<Option<u64>, String>(None) }),
        ),
        call("get_or_load of many", BUDGET, async move {
            let load = |keys: Vec<String>| async move {
                Ok::<_, String>(keys.into_iter().map(|key| (key, 1_u64)).collect::<HashMap<_, _>>())
            };
            let entries =
                cache.entries(&["a", "b"], |key| (*key).to_owned()).tag("shelf").invalidate_on(&Changed { id });
            entries.get_or_load(load).await
        }),
        read("redis_cached", Box::pin(async move { drop(plain(id).await) })),
        read("tags and an event", Box::pin(async move { drop(listening(id).await) })),
        read("tags of the value", Box::pin(async move { drop(named(id).await) })),
        read("local", Box::pin(async move { drop(near(id).await) })),
        read("stale_while_revalidate", Box::pin(async move { drop(stale(id).await) })),
        read("stale_if_error", Box::pin(async move { drop(spare(id).await) })),
        read("refresh in the background", Box::pin(async move { drop(background(id).await) })),
        read("refresh_ahead", Box::pin(async move { drop(ahead(id).await) })),
        read("batch", Box::pin(async move { drop(many(&[id, id + 1, id + 2]).await) })),
    ]
}

/// All calls that write.
fn writes(cache: &Cache, id: u64) -> Vec<Named<'_>> {
    let depending = move |entry: Entry<Untyped, ByHand>| entry.tag("shelf").invalidate_on(&Changed { id });
    let what = move || Invalidation::new().key("by-hand").tag("shelf").event(&Changed { id });
    let write = |name, future: Calling<'static>| call(name, OF_A_WRITE, cache.scope(future));
    vec![
        call("set", BUDGET, cache.entry("by-hand").set(&1_u64)),
        call("set with tags", BUDGET, depending(cache.entry("by-hand-tags")).set(&1_u64)),
        call("delete", BUDGET, cache.entry("by-hand").remove()),
        call("invalidate", BUDGET, cache.invalidate(what())),
        call("emit", BUDGET, async move { cache.emit(&Changed { id }).await }),
        call("write", OF_A_WRITE, cache.write(what(), async {})),
        call("try_write", OF_A_WRITE, cache.try_write(what(), async {})),
        call("deferred", OF_A_WRITE, async move {
            let mut deferred = cache.deferred();
            deferred.add(what());
            deferred.commit(async {}).await
        }),
        call("deferred, refused", OF_A_WRITE, async move {
            let mut deferred = cache.deferred();
            deferred.add(what());
            deferred.try_commit(async {}).await
        }),
        write(
            "redis_invalidate",
            Box::pin(async move {
                change(id).await;
            }),
        ),
        write("on_unavailable = fail", Box::pin(async move { drop(change_or_fail(id).await) })),
        write(
            "mode = after",
            Box::pin(async move {
                change_after(id).await;
            }),
        ),
        write("redis_put", Box::pin(async move { drop(put_plain(id).await) })),
        write("redis_put over its own event", Box::pin(async move { drop(put_listening(id).await) })),
        write("redis_put with tags of the value", Box::pin(async move { drop(put_named(id).await) })),
    ]
}

/// Makes each call once and returns those that took too long, with their times.
async fn too_slow(cache: &Cache, calls: Vec<Named<'_>>, slack: Duration) -> Vec<(&'static str, Duration)> {
    let mut too_slow = Vec::new();
    for (name, most, call) in calls {
        // Behind an open breaker every call is fast.
        eventually("the store is in use", async || {
            let is_in_use = cache.stats().breaker == BreakerState::Closed;
            if !is_in_use {
                cache.entry("anything").get::<u64>().await;
            }
            is_in_use
        })
        .await;
        let began = Instant::now();
        call.await;
        let took = began.elapsed();
        if took > most + slack {
            too_slow.push((name, took));
        }
    }
    too_slow
}

/// A store in memory that carries everything out at once and answers late, or not within the given time.
#[derive(Debug)]
struct Slow {
    memory: MemoryStore,
    late: std::sync::Mutex<Duration>,
}

impl Slow {
    fn new() -> Arc<Self> {
        Arc::new(Self { memory: MemoryStore::new(1 << 24, Clock::system()), late: std::sync::Mutex::default() })
    }

    fn answers_after(&self, late: Duration) {
        *self.late.lock().unwrap() = late;
    }

    fn late<'a, T: Send + 'a>(&'a self, step: StoreFuture<'a, T>, within: Duration) -> StoreFuture<'a, T> {
        let late = *self.late.lock().unwrap();
        Box::pin(async move {
            let answer = step.await;
            match timeout(within, tokio::time::sleep(late)).await {
                Ok(()) => answer,
                Err(_) => Err(StoreError::new(FaultKind::Timeout, "the answer is late")),
            }
        })
    }
}

macro_rules! late {
    ($($step:ident($request:ident) -> $answer:ty;)*) => {
        $(fn $step<'a>(&'a self, request: store::$request<'a>) -> StoreFuture<'a, $answer> {
            let within = request.within;
            self.late(self.memory.$step(request), within)
        })*
    };
}

impl Store for Slow {
    forward!(memory: name, domain);

    fn capabilities(&self) -> Capabilities<'_> {
        Capabilities::none().with_watch(self)
    }

    late! {
        get(Get) -> Option<Bytes>;
        acquire(Acquire) -> Acquired;
        renew(Renew) -> bool;
        fill(Fill) -> bool;
        release(Release) -> bool;
        put(Put) -> bool;
        remove(Remove) -> bool;
        get_all(GetAll) -> Each<Option<Bytes>>;
        remove_all(RemoveAll) -> Each<()>;
        tag(TagAll) -> Each<Option<Head>>;
        begin(Begin) -> Each<()>;
        end(End) -> Ended;
        sweep(Sweep) -> Swept;
    }

    fn ping(&self, request: Ping) -> StoreFuture<'_, ()> {
        let within = request.within;
        self.late(self.memory.ping(request), within)
    }
}

impl Watch for Slow {
    fn watch(&self, watcher: Weak<dyn Watcher>) {
        self.memory.watch(watcher);
    }

    late! {
        get_watched(GetWatched) -> Option<Watched>;
    }
}

/// Lets everything be loaded and stored while the answers come at once.
async fn warm(cache: &Cache, id: u64) {
    for (_, _, call) in reads(cache, id) {
        call.await;
    }
    cache.flush().await;
    // A value that lives for a millisecond is past its end by now, on a real server too.
    tokio::time::sleep(Duration::from_millis(5)).await;
}

#[tokio::test(start_paused = true)]
async fn no_call_on_a_slow_store_takes_more_than_one_budget() {
    let store = Slow::new();
    let cache =
        Cache::builder().namespace("cache").store(Arc::clone(&store) as Arc<dyn Store>).budget(BUDGET).build().unwrap();
    warm(&cache, 1).await;
    // The first entries are there and the second ones are not: hits and misses take different steps.
    for id in [1, 100] {
        store.answers_after(LATE);
        assert_eq!(too_slow(&cache, reads(&cache, id), Duration::ZERO).await, [], "id {id}");
        assert_eq!(too_slow(&cache, writes(&cache, id), Duration::ZERO).await, [], "id {id}");
        store.answers_after(Duration::ZERO);
        cache.flush().await;
    }
    assert!(applied(&cache, Duration::from_secs(60)).await);
}

#[tokio::test]
async fn no_call_over_a_slow_network_takes_more_than_one_budget() {
    let server = RedisServer::start();
    let network = Network::to(&server).await;
    let cache = Cache::builder().namespace("cache").redis(network.url()).budget(BUDGET).build().unwrap();
    warm(&cache, 1).await;
    for id in [1, 100] {
        network.down(Pass::After(LATE));
        assert_eq!(too_slow(&cache, reads(&cache, id), SLACK).await, [], "id {id}");
        assert_eq!(too_slow(&cache, writes(&cache, id), SLACK).await, [], "id {id}");
        network.down(Pass::AtOnce);
        cache.flush().await;
    }
    assert!(applied(&cache, Duration::from_secs(60)).await);
}
