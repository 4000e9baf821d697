//! The status of a call says what the statistics count, whichever way the call goes.
#![expect(clippy::panic, reason = "some user code is to panic")]
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{
    Answer, Cache, CacheEvent, CacheStatus, Clock, KeyIdentity, KeySegment, MissReason, Outcome, SegmentWriter,
    SiteStats, bypass, entry, redis_cached, redis_invalidate, refresh, with_status,
};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::sync::Semaphore;

type Counts = BTreeMap<String, u64>;

fn counted(stats: Option<&SiteStats>) -> Counts {
    let Some(site) = stats else { return Counts::new() };
    let ways = [
        ("near", site.near_hits),
        ("hit", site.hits),
        ("coalesced", site.coalesced),
        ("load", site.loads),
        ("unserved", site.unserved),
        ("stale", site.stale),
        ("refresh", site.refreshes),
        ("stored", site.stored),
    ];
    let ways = ways.map(|(way, count)| (way.to_owned(), count)).into_iter();
    let misses = site.misses.iter().map(|(reason, count)| (format!("{reason:?}"), *count));
    let unstored = site.unstored.iter().map(|(reason, count)| (format!("unstored {reason:?}"), *count));
    ways.chain(misses).chain(unstored).collect()
}

fn told(status: &CacheStatus) -> Counts {
    let mut counts = Counts::new();
    let mut one = |way: &str| *counts.entry(way.to_owned()).or_default() += 1;
    for call in status.calls() {
        one(match call.answer {
            Answer::NearHit => "near",
            Answer::Hit => "hit",
            Answer::Coalesced => "coalesced",
            Answer::Loaded => "load",
            Answer::Unserved => "unserved",
            other => panic!("a new way: {other:?}"),
        });
        let further = [(call.is_stale, "stale"), (call.is_refresh, "refresh"), (call.is_stored, "stored")];
        further.iter().filter(|(is, _)| *is).for_each(|(_, way)| one(way));
        call.misses.iter().for_each(|reason| one(&format!("{reason:?}")));
        call.unstored.iter().for_each(|reason| one(&format!("unstored {reason:?}")));
    }
    counts
}

/// Makes the call, and compares its status with what it changes about the statistics of its function. Returns what it
/// returned, and the status as text.
async fn same<T>(cache: &Cache, site: &str, call: impl Future<Output = T>) -> (T, String) {
    // Functions of other files have the same names.
    let of_this_file = format!("status::{site}");
    let site = if site.starts_with("Cache::") { site } else { &of_this_file };
    let before = counted(cache.stats().site(site));
    let (returned, status) = with_status(call).await;
    let after = counted(cache.stats().site(site));
    let changed = after.into_iter().map(|(way, count)| {
        let before = before.get(&way).copied().unwrap_or_default();
        (way, count - before)
    });
    let changed: Counts = changed.filter(|(_, count)| *count > 0).collect();
    assert_eq!(told(&status), changed, "{status:?}");
    cache.flush().await;
    (returned, status.to_string())
}

async fn with_cache(run: impl AsyncFnOnce(&Cache, &Clock)) {
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).jitter(0.0).max_value_bytes(1_000).build().unwrap();
    cache.scope(run(&cache, &clock)).await;
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[derive(CacheEvent)]
struct Changed {
    id: u64,
}

#[redis_cached(key = "s:plain:<id>", invalidate_on = Changed { id })]
async fn plain(id: u64) -> u64 {
    id
}

#[redis_invalidate(Changed { id })]
async fn change(cache: &Cache, id: u64) -> (u64, String) {
    same(cache, "plain", plain(id)).await
}

#[redis_cached(key = "s:near:<id>", local = "30s")]
async fn near(id: u64) -> u64 {
    id
}

#[tokio::test]
async fn misses_hits_and_near_hits() {
    with_cache(async |cache, _| {
        let told = async |id| same(cache, "plain", plain(id)).await.1;
        assert_eq!(told(1).await, "cached_core; fwd=uri-miss; stored; detail=absent");
        assert_eq!(told(1).await, "cached_core; hit");
        assert_eq!(cache.emit(&Changed { id: 1 }).await, Outcome::Applied);
        assert_eq!(told(1).await, "cached_core; fwd=miss; stored; detail=invalidated");
        assert_eq!(
            change(cache, 2).await.1,
            "cached_core; fwd=miss; detail=\"writing, not_stored_no_lease\"",
            "a write is in progress"
        );

        let told = async |id| same(cache, "near", near(id)).await.1;
        assert_eq!(told(1).await, "cached_core; fwd=uri-miss; stored; detail=absent");
        assert_eq!(told(1).await, "cached_core; hit; ttl=600", "functions with `local` ask how long the entry lives");
        assert_eq!(told(1).await, "cached_core; hit; ttl=30; detail=near");
    })
    .await;
}

#[redis_cached(key = "s:tagged:<id>", local = "30s", tags = "s:tag:<id>")]
async fn tagged(id: u64) -> u64 {
    id
}

#[tokio::test]
async fn a_near_hit_whose_status_is_asked_for_is_the_same_near_hit() {
    with_cache(async |cache, _| {
        for is_first_asked in [false, true] {
            let id = u64::from(is_first_asked);
            for is_asked in [is_first_asked, is_first_asked, !is_first_asked, true] {
                if is_asked {
                    same(cache, "near", near(id)).await;
                    same(cache, "tagged", tagged(id)).await;
                } else {
                    near(id).await;
                    tagged(id).await;
                    cache.flush().await;
                }
            }
        }
        let stats = cache.stats();
        for site in ["status::near", "status::tagged"] {
            let site = stats.site(site).unwrap();
            assert_eq!((site.near_hits, site.hits, site.loads), (4, 2, 2), "of each id, all after the second call");
        }
        assert_eq!(stats.near.unwrap().entries, 4, "each value is kept once, however it was asked for");
    })
    .await;
}

/// The source of `fresh` and the others.
#[derive(Debug, Default)]
struct Source {
    fails: std::sync::atomic::AtomicBool,
}

impl Source {
    fn load(&self) -> Result<u64, String> {
        if self.fails.load(std::sync::atomic::Ordering::SeqCst) { Err("down".to_owned()) } else { Ok(1) }
    }

    fn fails(&self, fails: bool) {
        self.fails.store(fails, std::sync::atomic::Ordering::SeqCst);
    }
}

#[redis_cached(key = "s:fresh:<id>", skip(source), ttl = "10s", stale_while_revalidate = "1m", stale_if_error = "10m")]
async fn fresh(source: &Source, id: u64) -> Result<u64, String> {
    source.load()
}

#[redis_cached(key = "s:behind:<id>", skip(source), ttl = "10s", stale_while_revalidate = "1m", refresh = "background")]
async fn behind(source: std::sync::Arc<Source>, id: u64) -> Result<u64, String> {
    source.load()
}

#[tokio::test]
async fn values_past_their_end() {
    with_cache(async |cache, clock| {
        let source = &Source::default();
        let told = async || same(cache, "fresh", fresh(source, 1)).await;
        told().await.0.unwrap();
        clock.advance(Duration::from_secs(4));
        assert_eq!(told().await.1, "cached_core; hit; ttl=6");
        clock.advance(Duration::from_secs(8));
        assert_eq!(told().await, (Ok(1), "cached_core; fwd=stale; stored; detail=refresh".to_owned()));
        clock.advance(Duration::from_secs(12));
        source.fails(true);
        assert_eq!(
            told().await,
            (Ok(1), "cached_core; fwd=stale; detail=\"refresh, stale\"".to_owned()),
            "the load failed, and the old value was returned"
        );
        assert_eq!(told().await.1, "cached_core; hit; ttl=-2; detail=stale", "the refresh is not tried again yet");
        clock.advance(Duration::from_secs(120));
        assert_eq!(told().await.1, "cached_core; fwd=stale; detail=\"refresh, stale, stale\"", "now it is a fallback");
        source.fails(false);
        clock.advance(Duration::from_secs(3_600));
        assert_eq!(told().await.1, "cached_core; fwd=uri-miss; stored; detail=absent", "it was kept for 10 min");

        let source = std::sync::Arc::new(Source::default());
        let told = async || same(cache, "behind", behind(source.clone(), 1)).await.1;
        assert_eq!(told().await, "cached_core; fwd=uri-miss; stored; detail=absent");
        clock.advance(Duration::from_secs(12));
        let (_, status) = with_status(behind(source.clone(), 1)).await;
        assert_eq!(status.to_string(), "cached_core; hit; ttl=-2; detail=stale", "it is refreshed in the background");
    })
    .await;
}

#[redis_cached(key = "s:spawned:<id>", spawn)]
async fn spawned(id: u64) -> u64 {
    tokio::task::yield_now().await;
    id
}

#[redis_cached(key = "s:dear:<id>", cache_if = |value: &u64| *value < 100)]
async fn dear(id: u64) -> u64 {
    id
}

#[redis_cached(key = "s:large:<id>")]
async fn large(id: u64) -> String {
    "x".repeat(2_000)
}

#[redis_cached(key = "s:large:<id>", spawn)]
async fn large_spawned(id: u64) -> String {
    "x".repeat(2_000)
}

#[tokio::test]
async fn what_is_not_stored() {
    with_cache(async |cache, _| {
        let stored = "cached_core; fwd=uri-miss; stored; detail=absent";
        assert_eq!(same(cache, "spawned", spawned(1)).await.1, stored, "a load as a task");
        let too_large = "cached_core; fwd=uri-miss; detail=\"absent, not_stored_too_large\"";
        assert_eq!(same(cache, "large", large(1)).await.1, too_large);
        assert_eq!(same(cache, "large_spawned", large_spawned(1)).await.1, too_large);
        let (_, text) = same(cache, "dear", dear(100)).await;
        assert_eq!(text, "cached_core; fwd=uri-miss; detail=\"absent, not_stored_policy\"");
    })
    .await;
}

/// Deserializing it panics.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Unreadable(String);

impl<'de> Deserialize<'de> for Unreadable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        assert!(text != "bad", "as it is meant to");
        Ok(Self(text))
    }
}

#[redis_cached(key = "s:unreadable:<id>", version = 1)]
async fn unreadable(id: u64) -> Unreadable {
    Unreadable("bad".to_owned())
}

#[derive(Debug, Clone, Copy)]
struct Unrenderable;

impl KeySegment for Unrenderable {}

impl KeyIdentity for Unrenderable {
    fn write(&self, _: &mut SegmentWriter<'_>) {
        panic!("not a part of a key")
    }
}

#[redis_cached(key = "s:unrenderable:<id>")]
async fn unrenderable(id: Unrenderable) -> u64 {
    1
}

#[redis_cached(key = "s:itself:<id>", skip(cache))]
async fn itself(cache: &Cache, id: u64) -> String {
    Box::pin(inner_of_itself(cache, id)).await
}

async fn inner_of_itself(cache: &Cache, id: u64) -> String {
    let ends = id == 0;
    if ends { String::new() } else { same(cache, "plain", plain(id)).await.1 }
}

#[tokio::test]
async fn calls_that_cannot_use_the_cache() {
    with_cache(async |cache, _| {
        assert_eq!(same(cache, "plain", bypass(plain(1))).await.1, "cached_core; fwd=bypass; detail=bypassed");
        assert_eq!(same(cache, "plain", plain(1)).await.1, "cached_core; fwd=uri-miss; stored; detail=absent");
        same(cache, "unreadable", unreadable(1)).await;
        same(cache, "unreadable", unreadable(1)).await;
        let (_, text) = same(cache, "unrenderable", unrenderable(Unrenderable)).await;
        assert_eq!(text, "cached_core; fwd=bypass; detail=key");
    })
    .await;
    let (_, status) = with_status(plain(1)).await;
    assert_eq!(status.to_string(), "cached_core; fwd=bypass; detail=no_cache");
    let (_, status) = with_status(many(&[1, 2])).await;
    assert_eq!(
        status.to_string(),
        "cached_core; fwd=bypass; detail=no_cache",
        "without a cache, ids are not told apart"
    );
}

#[test]
fn without_a_runtime() {
    let cache = Cache::memory();
    let mut call = pin!(cache.scope(with_status(plain(1))));
    let (value, status) = poll(call.as_mut()).unwrap();
    assert_eq!((value, status.to_string()), (1, "cached_core; fwd=bypass; detail=no_runtime".to_owned()));
    assert_eq!(told(&status), counted_nonzero(&cache, "status::plain"));
}

fn counted_nonzero(cache: &Cache, site: &str) -> Counts {
    counted(cache.stats().site(site)).into_iter().filter(|(_, count)| *count > 0).collect()
}

#[redis_cached(key = "s:slow:<id>", skip(gate))]
async fn slow(gate: &Semaphore, id: u64) -> Result<u64, String> {
    gate.acquire().await.map_err(|_| "closed")?.forget();
    if id > 1 { Err("no such row".to_owned()) } else { Ok(id) }
}

#[tokio::test]
async fn calls_that_share_a_load() {
    with_cache(async |cache, _| {
        let gate = &Semaphore::new(0);
        let mut leads = pin!(slow(gate, 1));
        let mut follows = pin!(with_status(slow(gate, 1)));
        assert!(poll(leads.as_mut()).is_none() && poll(follows.as_mut()).is_none());
        gate.add_permits(1);
        let (_, (_, status)) = tokio::join!(leads, follows);
        assert_eq!(status.to_string(), "cached_core; fwd=miss; collapsed");

        let mut leads = pin!(slow(gate, 2));
        let mut follows = pin!(with_status(slow(gate, 2)));
        assert!(poll(leads.as_mut()).is_none() && poll(follows.as_mut()).is_none());
        gate.add_permits(2);
        let (_, (_, status)) = tokio::join!(leads, follows);
        assert_eq!(status.calls()[0].misses, [MissReason::LoadFailed], "the other's load failed: {status}");

        gate.add_permits(9);
        let both = async { tokio::join!(slow(gate, 0), slow(gate, 0)) };
        let (_, text) = same(cache, "slow", both).await;
        assert_eq!(text, "cached_core; fwd=uri-miss; stored; detail=absent, cached_core; hit");
    })
    .await;
}

#[redis_cached(key = "s:many:<id>", batch = ids, local = "30s")]
async fn many(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[tokio::test]
async fn a_batch_has_a_status_for_each_distinct_id() {
    with_cache(async |cache, _| {
        let told = async |ids: &[u64]| same(cache, "many", many(ids)).await.1;
        assert_eq!(told(&[1]).await, "cached_core; fwd=uri-miss; stored; detail=absent");
        assert_eq!(
            told(&[1, 2, 3, 2]).await,
            "cached_core; hit; ttl=600, cached_core; fwd=uri-miss; stored; detail=\"absent, 2 calls\""
        );
        assert_eq!(
            told(&[1, 2, 3]).await,
            "cached_core; hit; ttl=30; detail=near, cached_core; hit; ttl=600; detail=\"2 calls\""
        );
        let (_, text) = same(cache, "many", bypass(many(&[1, 2, 2]))).await;
        assert_eq!(text, "cached_core; fwd=bypass; detail=\"bypassed, 2 calls\"");
        assert_eq!(told(&[]).await, "");
    })
    .await;
}

#[tokio::test]
async fn calls_without_an_attribute() {
    with_cache(async |cache, _| {
        let load = || async { Ok::<u64, ()>(1) };
        let told = async || same(cache, "Cache::entry", cache.entry("k").get_or_load(load)).await.1;
        assert_eq!(told().await, "cached_core; fwd=uri-miss; stored; detail=absent");
        assert_eq!(told().await, "cached_core; hit");
        let (_, text) = same(cache, "Cache::entry", cache.entry("no such").get::<u64>()).await;
        assert_eq!(text, "cached_core; detail=absent");
        let (_, text) = same(cache, "Cache::entry", cache.entry("k").get::<String>()).await;
        assert_eq!(text, "cached_core; detail=type");
        assert_eq!(same(cache, "Cache::entry", cache.entry("k").get::<u64>()).await.1, "cached_core; hit");
        let entry = entry!(plain(7)).unwrap();
        entry.set(&70).await.unwrap();
        assert_eq!(same(cache, "plain", plain(7)).await, (70, "cached_core; hit".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn several_calls_and_none() {
    with_cache(async |cache, _| {
        let (_, status) = with_status(async {
            plain(1).await;
            let (_, inner) = with_status(near(2)).await;
            assert_eq!(inner.calls().len(), 1);
            bypass(plain(3)).await
        })
        .await;
        let sites: Vec<_> = status.calls().iter().map(|call| (call.site, call.answer)).collect();
        assert_eq!(sites, [("plain", Answer::Loaded), ("near", Answer::Loaded), ("plain", Answer::Loaded)]);
        assert!(!status.is_hit());
        cache.flush().await;
        let (_, status) = with_status(async { plain(1).await + near(2).await }).await;
        assert!(status.is_hit(), "{status}");

        let ((), status) = with_status(async {}).await;
        assert!(!status.is_hit());
        assert_eq!((status.calls(), status.to_string()), (&[][..], String::new()));
        let ((), status) = with_status(change_nothing()).await;
        assert_eq!(status.calls(), [], "a write is no cached call");
    })
    .await;
}

#[redis_invalidate(Changed { id: 9 })]
async fn change_nothing() {}

#[redis_cached(key = "s:outer:<id>")]
async fn outer(id: u64) -> u64 {
    plain(id).await
}

#[tokio::test]
async fn calls_from_inside_of_a_load_and_from_tasks_are_not_told() {
    with_cache(async |cache, _| {
        let (_, status) = with_status(async {
            let task = cache.clone();
            tokio::spawn(async move { task.scope(plain(5)).await }).await.unwrap();
            outer(1).await
        })
        .await;
        assert_eq!(status.calls().iter().map(|call| call.site).collect::<Vec<_>>(), ["outer"]);
        assert_eq!(cache.stats().site("status::plain").unwrap().loads, 2);
        assert_eq!(itself(cache, 6).await, "cached_core; fwd=uri-miss; stored; detail=absent", "asked for inside");
    })
    .await;
}

#[tokio::test]
async fn there_is_an_end_to_what_is_kept() {
    with_cache(async |cache, _| {
        let ((), status) = with_status(async {
            for id in 0..1_005 {
                plain(id).await;
            }
        })
        .await;
        assert_eq!((status.calls().len(), status.further()), (1_000, 5));
        assert!(!status.is_hit() && status.to_string().ends_with("cached_core; detail=\"5 further calls\""));
        assert_eq!(cache.stats().site("status::plain").unwrap().loads, 1_005);
    })
    .await;
}

#[tokio::test]
async fn the_key_is_told_only_on_request() {
    with_cache(async |_, _| {
        let (_, status) = with_status(plain(77)).await;
        assert!(status.calls()[0].key().unwrap().ends_with("s:plain:77"));
        assert!(!format!("{status} {status:?}").contains("77"));
        assert!(format!("{status:#}").contains("s:plain:77\""));
    })
    .await;
}

#[tokio::test]
async fn a_cached_functions_future_has_no_room_for_it() {
    let call = with_status(plain(1));
    assert!(size_of_val(&call) <= 3 * size_of::<usize>());
    assert_eq!(tokio::spawn(async { with_status(plain(1)).await.0 }).await.unwrap(), 1);
}

#[tokio::test]
async fn a_forced_refresh_is_told_as_one() {
    with_cache(async |cache, _| {
        let told = async || same(cache, "plain", refresh(plain(1))).await.1;
        assert_eq!(told().await, "cached_core; fwd=request; stored; detail=refresh", "there is no value yet");
        assert_eq!(told().await, "cached_core; fwd=request; stored; detail=refresh");
        let changed = change_around(cache, 1).await;
        assert_eq!(changed, "cached_core; fwd=request; detail=\"refresh, writing, not_stored_no_lease\"");
    })
    .await;
}

#[redis_invalidate(Changed { id })]
async fn change_around(cache: &Cache, id: u64) -> String {
    same(cache, "plain", refresh(plain(id))).await.1
}

#[tokio::test]
async fn entries_with_a_name_are_told_by_it() {
    with_cache(async |cache, _| {
        let entry = |name: &'static str| cache.entry("s:hand").named(name);
        let ((), status) = with_status(async {
            // Side by side, under one key: each is a call of its own.
            let (one, other) = (entry("one"), entry("other"));
            tokio::join!(one.get::<u64>(), other.get::<u64>());
        })
        .await;
        let mut sites: Vec<_> = status.calls().iter().map(|call| (call.site, &*call.misses)).collect();
        sites.sort_unstable_by_key(|(site, _)| *site);
        assert_eq!(sites, [("one", &[MissReason::Absent][..]), ("other", &[MissReason::Absent])]);
    })
    .await;
}
