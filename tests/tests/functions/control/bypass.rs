//! A call that is made past the cache reads nothing and stores nothing, and neither does it change any other call.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, CacheEvent, MissReason, SiteStats, bypass, entry, redis_cached};
use cached_core::{redis_invalidate, redis_put};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use tokio::sync::{Notify, Semaphore};

/// A source whose every answer is another one.
#[derive(Debug, Clone, Default)]
struct Source {
    answers: Arc<AtomicU64>,
}

impl Source {
    fn next(&self) -> u64 {
        self.answers.fetch_add(1, SeqCst) + 1
    }
}

/// What changes about a site while `run` runs: near hits, hits, coalesced, loads, bypassed, stored, and misses because
/// of a bypass.
async fn changes<T>(cache: &Cache, site: &str, run: impl Future<Output = T>) -> (T, [u64; 7]) {
    // Functions of other files have the same names.
    let of_this_file = format!("bypass::{site}");
    let site = if site.starts_with("Cache::") { site } else { &of_this_file };
    let counts = |stats: Option<&SiteStats>| {
        stats.map_or([0; 7], |site| {
            let by_reason = site.misses.get(&MissReason::Bypassed).copied().unwrap_or_default();
            [site.near_hits, site.hits, site.coalesced, site.loads, site.bypassed, site.stored, by_reason]
        })
    };
    let before = counts(cache.stats().site(site));
    let returned = run.await;
    cache.flush().await;
    let after = counts(cache.stats().site(site));
    (returned, std::array::from_fn(|at| after[at] - before[at]))
}

const BYPASSED: [u64; 7] = [0, 0, 0, 1, 1, 0, 1];
const HIT: [u64; 7] = [0, 1, 0, 0, 0, 0, 0];
const LOADED: [u64; 7] = [0, 0, 0, 1, 0, 1, 0];

async fn with_cache(run: impl AsyncFnOnce(&Cache)) {
    let cache = Cache::memory();
    cache.scope(run(&cache)).await;
}

#[redis_cached(key = "b:plain:<id>", skip(source))]
async fn plain(source: &Source, id: u64) -> u64 {
    source.next()
}

#[redis_cached(key = "b:tagged:<id>", skip(source), tags = "b:tag:<id>")]
async fn tagged(source: &Source, id: u64) -> u64 {
    source.next()
}

#[redis_cached(key = "b:near:<id>", skip(source), local = "1m")]
async fn near(source: &Source, id: u64) -> u64 {
    source.next()
}

#[redis_cached(key = "b:spawned:<id>", skip(source), spawn)]
async fn spawned(source: Source, id: u64) -> u64 {
    source.next()
}

#[redis_cached(key = "b:background:<id>", skip(source), stale_while_revalidate = "1m", refresh = "background")]
async fn background(source: Source, id: u64) -> u64 {
    source.next()
}

macro_rules! bypasses {
    ($($name:ident: $site:literal, $call:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            with_cache(async |cache| {
                let source = &Source::default();
                let call: fn(&Source) -> _ = $call;
                assert_eq!(changes(cache, $site, bypass(call(source))).await, (1, BYPASSED), "with nothing stored");
                assert_eq!(changes(cache, $site, call(source)).await, (2, LOADED), "nothing was stored");
                // A near cache keeps what it reads, not what is loaded.
                assert_eq!(call(source).await, 2);
                assert_eq!(changes(cache, $site, bypass(call(source))).await, (3, BYPASSED), "with an entry");
                assert_eq!(call(source).await, 2, "the entry and the near cache are what they were");
            })
            .await;
        })*
    };
}

bypasses! {
    the_body_runs_and_the_entry_stays: "plain", |source| {
        let source = source.clone();
        async move { plain(&source, 7).await }
    };
    with_call_tags: "tagged", |source| {
        let source = source.clone();
        async move { tagged(&source, 7).await }
    };
    with_a_near_cache: "near", |source| {
        let source = source.clone();
        async move { near(&source, 7).await }
    };
    with_loads_as_tasks: "spawned", |source| spawned(source.clone(), 7);
    with_refreshes_in_the_background: "background", |source| background(source.clone(), 7);
}

#[tokio::test]
async fn calls_by_hand() {
    with_cache(async |cache| {
        let source = &Source::default();
        let call = || cache.entry("k").get_or_load(|| async { Ok::<_, ()>(source.next()) });
        let site = "Cache::entry";
        assert_eq!(changes(cache, site, bypass(call())).await, (Ok(1), BYPASSED));
        assert_eq!(changes(cache, site, call()).await, (Ok(2), LOADED));
        assert_eq!(changes(cache, site, bypass(call())).await, (Ok(3), BYPASSED));
        assert_eq!(changes(cache, site, call()).await, (Ok(2), HIT));
    })
    .await;
}

#[redis_cached(key = "b:many:<id>", skip(source), batch = ids)]
async fn many(source: &Source, ids: &[u64]) -> HashMap<u64, u64> {
    let answer = source.next();
    ids.iter().map(|id| (*id, answer)).collect()
}

#[tokio::test]
async fn a_batch_runs_its_body_once_for_all_ids() {
    with_cache(async |cache| {
        let source = &Source::default();
        assert_eq!(many(source, &[1]).await[&1], 1);
        cache.flush().await;
        let (all, counted) = changes(cache, "many", bypass(many(source, &[1, 2, 2]))).await;
        assert_eq!(all, HashMap::from([(1, 2), (2, 2)]));
        assert_eq!(counted, [0, 0, 0, 2, 2, 0, 2], "each distinct id is a call");
        assert_eq!(cache.stats().site("bypass::many").unwrap().batches, 2);
        assert_eq!(many(source, &[1, 2]).await, HashMap::from([(1, 1), (2, 3)]), "nothing was stored");
        assert!(bypass(many(source, &[])).await.is_empty());
    })
    .await;
}

#[redis_cached(key = "b:outer:<id>", skip(source))]
async fn outer(source: &Source, id: u64) -> (u64, u64) {
    (source.next(), plain(source, id).await)
}

#[redis_cached(key = "b:outer-many:<id>", skip(source), batch = ids)]
async fn outer_many(source: &Source, ids: &[u64]) -> HashMap<u64, u64> {
    let inner = plain(source, 7).await;
    ids.iter().map(|id| (*id, inner)).collect()
}

#[redis_cached(key = "b:outer-spawned:<id>", skip(source), spawn)]
async fn outer_spawned(source: Source, id: u64) -> u64 {
    plain(&source, id).await
}

/// No annotated function: what it calls is called by whoever calls it.
async fn unannotated(source: &Source) -> u64 {
    tokio::task::yield_now().await;
    plain(source, 7).await
}

#[tokio::test]
async fn calls_from_inside_of_a_cached_function_are_made_as_always() {
    with_cache(async |cache| {
        let source = &Source::default();
        assert_eq!(plain(source, 7).await, 1);
        cache.flush().await;
        assert_eq!(changes(cache, "plain", bypass(outer(source, 7))).await, ((2, 1), HIT));
        assert_eq!(changes(cache, "plain", bypass(outer_many(source, &[5]))).await, (HashMap::from([(5, 1)]), HIT));
        assert_eq!(changes(cache, "plain", bypass(outer_spawned(source.clone(), 7))).await, (1, HIT));
        assert_eq!(changes(cache, "plain", bypass(unannotated(source))).await, (3, BYPASSED));
    })
    .await;
}

#[tokio::test]
async fn tasks_that_are_spawned_meanwhile_call_as_always() {
    with_cache(async |cache| {
        let source = Source::default();
        let task = {
            let (cache, source) = (cache.clone(), source.clone());
            async move { tokio::spawn(async move { cache.scope(plain(&source, 7)).await }).await.unwrap() }
        };
        assert_eq!(changes(cache, "plain", bypass(task)).await, (1, LOADED));
    })
    .await;
}

#[tokio::test]
async fn others_that_are_polled_in_between_call_as_always() {
    with_cache(async |cache| {
        let source = &Source::default();
        let gate = Notify::new();
        let held = async {
            gate.notified().await;
            plain(source, 7).await
        };
        let other = async {
            let first = plain(source, 8).await;
            gate.notify_one();
            tokio::task::yield_now().await;
            (first, plain(source, 8).await)
        };
        let (passed, (first, second)) = tokio::join!(bypass(held), other);
        assert_eq!((first, second), (1, 1), "the bypass ended with each poll");
        assert_eq!(passed, 2);
        cache.flush().await;
        assert_eq!(changes(cache, "plain", plain(source, 7)).await, (3, LOADED), "nothing was stored under the other");
    })
    .await;
}

#[tokio::test]
async fn nested_and_after_a_panic() {
    with_cache(async |cache| {
        let source = &Source::default();
        let nested = bypass(async { bypass(plain(source, 7)).await + 10 * plain(source, 7).await });
        assert_eq!(nested.await, 1 + 10 * 2, "the outer bypass goes on behind the inner one");
        let mut panics = pin!(bypass(async { std::panic::panic_any("stop") }));
        let poll = AssertUnwindSafe(|| {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            let _: std::task::Poll<()> = panics.as_mut().poll(&mut context);
        });
        std::panic::catch_unwind(poll).unwrap_err();
        assert_eq!(changes(cache, "plain", plain(source, 7)).await, (3, LOADED), "the panic ended the bypass");
    })
    .await;
}

#[tokio::test]
async fn a_call_that_is_asked_for_its_entry_answers() {
    with_cache(async |cache| {
        let source = &Source::default();
        let entry = entry!(bypass(plain(source, 7))).unwrap();
        entry.set(&70).await.unwrap();
        assert_eq!(plain(source, 7).await, 70);
        let removed = bypass(async {
            entry!(plain(source, 7)).unwrap().remove().await.unwrap();
            plain(source, 7).await
        });
        assert_eq!(removed.await, 1, "asking inside of a bypass, and the bypass behind it");
        assert_eq!(changes(cache, "plain", plain(source, 7)).await, (2, LOADED));
    })
    .await;
}

#[derive(CacheEvent)]
struct Changed {
    id: u64,
}

#[redis_cached(key = "b:row:<id>", skip(source), invalidate_on = Changed { id })]
async fn row(source: &Source, id: u64) -> u64 {
    source.next()
}

#[redis_invalidate(Changed { id })]
async fn change(source: &Source, id: u64) -> u64 {
    row(source, id).await
}

#[redis_put(key = "b:put:<id>")]
async fn put(id: u64, value: u64) -> u64 {
    value
}

#[redis_cached(key = "b:put:<id>")]
async fn put_row(id: u64) -> u64 {
    0
}

#[tokio::test]
async fn writes_invalidate_and_store_as_always() {
    with_cache(async |cache| {
        let source = &Source::default();
        assert_eq!(row(source, 7).await, 1);
        cache.flush().await;
        assert_eq!(bypass(change(source, 7)).await, 2, "what the write reads, it reads from the source");
        assert_eq!(changes(cache, "row", row(source, 7)).await, (3, LOADED), "the write has invalidated");
        assert_eq!(bypass(put(8, 80)).await, 80);
        assert_eq!(put_row(8).await, 80, "the put has stored");
    })
    .await;
}

#[redis_cached(key = "b:slow:<id>", skip(source, gate))]
async fn slow(source: &Source, gate: &Semaphore, id: u64) -> u64 {
    let answer = source.next();
    gate.acquire().await.unwrap().forget();
    answer
}

#[tokio::test]
async fn it_waits_for_no_load_and_for_no_room() {
    let cache = Cache::builder().load_limit(1).build().unwrap();
    let (source, gate) = (&Source::default(), &Semaphore::new(0));
    cache
        .scope(async {
            let mut leads = pin!(slow(source, gate, 7));
            assert!(futures_poll(leads.as_mut()).is_none());
            let mut passes = pin!(bypass(slow(source, gate, 7)));
            let mut also_passes = pin!(bypass(slow(source, gate, 7)));
            assert!(futures_poll(passes.as_mut()).is_none());
            assert!(futures_poll(also_passes.as_mut()).is_none());
            assert_eq!(source.answers.load(SeqCst), 3, "all three bodies have begun");
            gate.add_permits(3);
            assert_eq!((passes.await, also_passes.await, leads.await), (2, 3, 1));
            cache.flush().await;
            assert_eq!(slow(source, gate, 7).await, 1, "the load was stored, the others were not");
        })
        .await;
}

fn futures_poll<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test]
async fn without_a_cache_it_runs_the_body() {
    assert_eq!(bypass(plain(&Source::default(), 7)).await, 1);
}

#[test]
fn without_a_runtime_it_runs_the_body() {
    let source = &Source::default();
    let mut call = pin!(bypass(plain(source, 7)));
    assert_eq!(futures_poll(call.as_mut()), Some(1));
}

#[tokio::test]
async fn its_future_can_be_spawned_and_is_small() {
    let source = Source::default();
    let call = bypass(async move { plain(&source, 7).await });
    assert!(size_of_val(&call) <= 2 * size_of::<usize>());
    assert_eq!(tokio::spawn(call).await.unwrap(), 1);
}
