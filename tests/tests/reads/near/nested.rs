//! A load calls a function with near values. Its result is stored for all, so it must not be as old as a near hit may
//! be. Announcements of another process's writes are held back, so near hits are old as long as the test wants.

use cached_core::store::{
    Capabilities, GetWatched, MemoryStore, RedisStore, Store, StoreFuture, Watch, Watched, Watcher,
};
use cached_core::{Cache, CacheEvent, Clock, Invalidation, Outcome, redis_cached, redis_put};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};
use tests::{RedisServer, eventually};

/// A store whose announcements of changes can be held back.
#[derive(Debug)]
struct HeldBack<S> {
    store: S,
    told: Mutex<Vec<Arc<News>>>,
    is_holding: Arc<AtomicBool>,
}

#[derive(Debug)]
struct News {
    watcher: Weak<dyn Watcher>,
    is_holding: Arc<AtomicBool>,
}

impl<S> HeldBack<S> {
    fn of(store: S) -> Arc<Self> {
        Arc::new(Self { store, told: Mutex::default(), is_holding: Arc::default() })
    }

    fn hold(&self) {
        self.is_holding.store(true, Ordering::SeqCst);
    }

    /// Delivers what was held back.
    fn release(&self) {
        self.is_holding.store(false, Ordering::SeqCst);
        self.told.lock().unwrap().iter().for_each(|news| news.all_changed());
    }
}

impl News {
    fn tell(&self, what: impl FnOnce(&(dyn Watcher + 'static))) {
        if let Some(watcher) = self.watcher.upgrade().filter(|_| !self.is_holding.load(Ordering::SeqCst)) {
            what(&*watcher);
        }
    }
}

impl Watcher for News {
    fn changed(&self, key: &str) {
        self.tell(|watcher| watcher.changed(key));
    }

    fn all_changed(&self) {
        self.tell(Watcher::all_changed);
    }

    fn lost(&self) {
        self.tell(Watcher::lost);
    }

    fn regained(&self) {
        self.tell(Watcher::regained);
    }

    // The confirmation would come after the announcement.
    fn confirmed(&self, asked: Instant) {
        self.tell(|watcher| watcher.confirmed(asked));
    }

    fn heartbeat(&self) -> Duration {
        self.watcher.upgrade().map_or(Duration::from_secs(1), |watcher| watcher.heartbeat())
    }
}

impl<S: Store> Store for HeldBack<S> {
    tests::forward!(store: name, domain, get, acquire, renew, fill, release, put, remove, get_all, remove_all, tag, begin, end, sweep, ping);

    fn capabilities(&self) -> Capabilities<'_> {
        Capabilities::none().with_watch(self)
    }
}

impl<S: Store> Watch for HeldBack<S> {
    fn watch(&self, watcher: Weak<dyn Watcher>) {
        let news = Arc::new(News { watcher, is_holding: Arc::clone(&self.is_holding) });
        let relay: Weak<News> = Arc::downgrade(&news);
        self.told.lock().unwrap().push(news);
        inner(&self.store).watch(relay);
    }

    fn get_watched<'a>(&'a self, request: GetWatched<'a>) -> StoreFuture<'a, Option<Watched>> {
        inner(&self.store).get_watched(request)
    }
}

fn inner(store: &impl Store) -> &dyn Watch {
    store.capabilities().watch().expect("the store tells of changes")
}

/// The price of something has changed.
#[derive(Debug, CacheEvent)]
struct PriceChanged {
    id: u64,
}

/// Prices, in a database.
#[derive(Debug, Default, Clone)]
struct Prices(Arc<AtomicU64>);

impl Prices {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[redis_cached(key = "price:<id>", skip(prices), local = "1m", invalidate_on = PriceChanged { id })]
async fn price(prices: &Prices, id: u64) -> u64 {
    prices.now()
}

/// Like `price`, without tags: a near hit finds it by its integers.
#[redis_cached(key = "plain-price:<id>", skip(prices), local = "1m")]
async fn plain(prices: &Prices, id: u64) -> u64 {
    prices.now()
}

#[redis_cached(key = "price:<id>", batch = ids, skip(prices), local = "1m", invalidate_on = PriceChanged { id })]
async fn prices_of(prices: &Prices, ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, prices.now())).collect()
}

/// All ways to call the functions with near values.
async fn all_of(prices: &Prices) -> [u64; 3] {
    [price(prices, 1).await, plain(prices, 1).await, prices_of(prices, &[1]).await[&1]]
}

#[redis_cached(key = "offer", skip(prices), invalidate_on = PriceChanged { .. })]
async fn offer(prices: &Prices) -> [u64; 3] {
    // Polled more than once.
    tokio::task::yield_now().await;
    all_of(prices).await
}

#[redis_cached(key = "spawned", skip(prices), spawn, invalidate_on = PriceChanged { .. })]
async fn spawned(prices: &Prices) -> [u64; 3] {
    tokio::task::yield_now().await;
    all_of(prices).await
}

/// Calls a function that calls them, but is not cached itself.
#[redis_cached(key = "offers:<id>", batch = ids, skip(prices), invalidate_on = PriceChanged { .. })]
async fn offers(prices: &Prices, ids: &[u64]) -> HashMap<u64, [u64; 3]> {
    let offer = async { all_of(prices).await };
    HashMap::from([(ids[0], offer.await)])
}

/// The load of a cached function, inside another load.
#[redis_cached(key = "outermost", skip(prices), invalidate_on = PriceChanged { .. })]
async fn outermost(prices: &Prices) -> [u64; 3] {
    inner_offer(prices).await
}

#[redis_cached(key = "inner_offer", skip(prices), invalidate_on = PriceChanged { .. })]
async fn inner_offer(prices: &Prices) -> [u64; 3] {
    all_of(prices).await
}

#[redis_put(key = "put")]
async fn put(prices: &Prices) -> [u64; 3] {
    all_of(prices).await
}

#[redis_cached(key = "put", skip(_prices))]
async fn what_was_put(_prices: &Prices) -> [u64; 3] {
    [0; 3]
}

/// All ways to store something made of the results of those functions.
const WAYS: [&str; 6] = ["offer", "spawned", "offers", "outermost", "put", "by_hand"];

async fn stored(way: &str, cache: &Cache, prices: &Prices) -> [u64; 3] {
    match way {
        "offer" => offer(prices).await,
        "spawned" => spawned(prices).await,
        "offers" => offers(prices, &[7]).await[&7],
        "outermost" => outermost(prices).await,
        "put" => put(prices).await,
        _ => cache.entry("by_hand").get_or_load(|| async { Ok::<_, ()>(all_of(prices).await) }).await.unwrap(),
    }
}

/// The same, by another process.
async fn found(way: &str, cache: &Cache, prices: &Prices) -> [u64; 3] {
    if way == "put" { what_was_put(prices).await } else { stored(way, cache, prices).await }
}

/// A process whose announcements can be held back, and another one.
async fn in_two_processes<S: Store>(store: impl Fn() -> S, clock: Clock) {
    let held = HeldBack::of(store());
    let builder = || {
        Cache::builder()
            .namespace("cache")
            .budget(Duration::from_secs(5))
            .near_heartbeat(Duration::from_secs(60))
            .clock(clock.clone())
    };
    let here = builder().store(Arc::clone(&held) as _).build().unwrap();
    let there = builder().store(Arc::new(store())).build().unwrap();
    let prices = Prices::default();
    let direct = || here.scope(all_of(&prices));
    let near_hits = || -> u64 { here.stats().sites.iter().map(|site| site.near_hits).sum() };
    let loads = |cache: &Cache| -> u64 { cache.stats().sites.iter().map(|site| site.loads).sum() };
    for (way, old) in WAYS.into_iter().zip(0..) {
        eventually("there are near hits of each", async || {
            let before = near_hits();
            direct().await;
            here.flush().await;
            near_hits() == before + 3
        })
        .await;
        held.hold();
        prices.0.store(old + 1, Ordering::SeqCst);
        let written = Invalidation::new().event(&PriceChanged { id: 1 }).key("plain-price:1");
        assert_eq!(there.invalidate(written).await, Outcome::Applied);
        assert_eq!(direct().await, [old; 3], "news are under way, so this is what near hits may be");

        let (before, now) = (near_hits(), [old + 1; 3]);
        assert_eq!(here.scope(stored(way, &here, &prices)).await, now, "{way}");
        assert_eq!(near_hits(), before, "{way}");
        here.flush().await;
        let before = loads(&there);
        let theirs = there.scope(found(way, &there, &prices)).await;
        assert_eq!((theirs, loads(&there)), (now, before), "{way}: this is what others get, without a load");
        held.release();
    }
}

/// After a load, and beside a load in the same task.
#[tokio::test]
async fn outside_of_a_load_near_hits_are_as_they_were() {
    let cache = Cache::builder().namespace("cache").clock(Clock::manual()).build().unwrap();
    let prices = Prices::default();
    let near_hits = || -> u64 { cache.stats().sites.iter().map(|site| site.near_hits).sum() };
    for _ in 0..2 {
        cache.scope(all_of(&prices)).await;
        cache.flush().await;
    }
    let before = near_hits();
    cache.scope(all_of(&prices)).await;
    assert_eq!(near_hits(), before + 3);
    // The load has been polled by then, and waits.
    cache.scope(async { tokio::join!(offer(&prices), all_of(&prices)) }).await;
    assert_eq!(near_hits(), before + 6, "beside it");
    cache.scope(all_of(&prices)).await;
    assert_eq!(near_hits(), before + 9, "after it");
}

#[tokio::test]
async fn no_near_hit_gets_into_another_entry_in_memory() {
    let clock = Clock::manual();
    let store = Arc::new(MemoryStore::new(1 << 24, clock.clone()));
    in_two_processes(|| Shared { store: Arc::clone(&store) }, clock).await;
}

#[tokio::test]
async fn no_near_hit_gets_into_another_entry_on_redis() {
    let server = RedisServer::start();
    in_two_processes(|| RedisStore::new(&server.url()).unwrap(), Clock::system()).await;
}

/// One memory that several caches share.
#[derive(Debug)]
struct Shared {
    store: Arc<MemoryStore>,
}

impl Store for Shared {
    tests::forward!(store: name, domain, capabilities, get, acquire, renew, fill, release, put, remove, get_all, remove_all, tag, begin, end, sweep, ping);
}
