//! User code that only the cache runs panics, and the call still has its value: P1.
#![expect(clippy::panic, reason = "it is what is tested")]
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{
    Cache, CacheError, KeyIdentity, KeySegment, MissReason, SegmentWriter, SiteStats, UnstoredReason, redis_cached,
    redis_invalidate, redis_put,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::Cell;
use std::collections::HashMap;
use std::time::Duration;
use tests::{Log, RedisServer, eventually, patient_cache};

thread_local! {
    /// How many clones succeed before one panics.
    static CLONES: Cell<u32> = const { Cell::new(0) };
}

/// It is never read as it was written.
#[derive(Debug, PartialEq, Eq, Clone)]
struct Unreadable(u8);

impl Serialize for Unreadable {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str("high")
    }
}

impl<'de> Deserialize<'de> for Unreadable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(String::deserialize(from)?.parse().expect("a number")))
    }
}

#[derive(Debug, PartialEq, Eq, Clone, Deserialize)]
struct Unwritable(u8);

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("no form for {}", self.0)
    }
}

/// Can be cloned only as often as [`CLONES`] says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Unclonable(u8);

impl Clone for Unclonable {
    fn clone(&self) -> Self {
        let left = CLONES.get().checked_sub(1).expect("no further clone");
        CLONES.set(left);
        Self(self.0)
    }
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Unrenderable;

impl KeySegment for Unrenderable {}

impl KeyIdentity for Unrenderable {
    fn write(&self, _: &mut SegmentWriter<'_>) {
        panic!("not a part of a key")
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Session {
    expires_in: u64,
}

fn panics<R>(_: &Session) -> R {
    panic!("it was taken for granted")
}

#[redis_cached(key = "unreadable:<n>")]
async fn unreadable(n: u8) -> Unreadable {
    Unreadable(n)
}

#[redis_cached(key = "unreadable:<n>", batch = ns)]
async fn unreadables(ns: &[u8]) -> HashMap<u8, Unreadable> {
    ns.iter().map(|n| (*n, Unreadable(*n))).collect()
}

/// A value past its end would be served.
#[redis_cached(
    key = "unreadable-stale:<n>",
    ttl = "1ms",
    jitter = 0.0,
    stale_while_revalidate = "1h",
    refresh = "background"
)]
async fn unreadable_stale(n: u8) -> Result<Unreadable, String> {
    Ok(Unreadable(n))
}

#[redis_cached(key = "unwritable:<n>")]
async fn unwritable(n: u8) -> Option<Unwritable> {
    Some(Unwritable(n))
}

#[redis_cached(key = "unwritable:<n>", batch = ns)]
async fn unwritables(ns: &[u8]) -> HashMap<u8, Unwritable> {
    ns.iter().map(|n| (*n, Unwritable(*n))).collect()
}

#[redis_put(key = "unwritable:<n>")]
async fn put_unwritable(n: u8) -> Unwritable {
    Unwritable(n)
}

// 30 s before the session ends; a session that ends sooner underflows.
#[redis_cached(key = "ttl:<n>", ttl = |s: &Session| Duration::from_secs(s.expires_in - 30))]
async fn ttl(n: u64) -> Session {
    Session { expires_in: n }
}

#[redis_cached(key = "ttl-in-a-task:<n>", ttl = |s: &Session| panics::<Duration>(s), spawn)]
async fn ttl_in_a_task(n: u64) -> Session {
    Session { expires_in: n }
}

#[redis_cached(key = "cache-if:<n>", cache_if = |s: &Session| panics::<bool>(s))]
async fn cache_if(n: u64) -> Result<Session, String> {
    Ok(Session { expires_in: n })
}

#[redis_cached(key = "tags:<n>", tags = |s: &Session| panics::<Vec<String>>(s))]
async fn tags(n: u64) -> Session {
    Session { expires_in: n }
}

#[redis_cached(key = "ttls:<n>", ttl = |s: &Session| panics::<Duration>(s), batch = ns)]
async fn ttls(ns: &[u64]) -> HashMap<u64, Session> {
    ns.iter().map(|n| (*n, Session { expires_in: *n })).collect()
}

#[redis_put(key = "tags:<n>", tags = |s: &Session| panics::<Vec<String>>(s))]
async fn put_with_tags(n: u64) -> Session {
    Session { expires_in: n }
}

#[redis_cached(key = "unclonable:<n>", local = "1h")]
async fn unclonable(n: u8) -> Unclonable {
    Unclonable(n)
}

#[redis_cached(key = "unrenderable:<part>")]
async fn unrenderable(part: Unrenderable) -> u8 {
    let _ = part;
    7
}

#[redis_cached(key = "unhashable:<value:serde>", skip(calls))]
async fn unhashable(value: Unwritable, calls: &Cell<u32>) -> u8 {
    calls.set(calls.get() + 1);
    value.0
}

#[redis_invalidate(key = "unrenderable:<part>")]
async fn change_unrenderable(part: Unrenderable) -> Result<u8, String> {
    let _ = part;
    Ok(8)
}

struct Subject {
    cache: Cache,
    log: Log,
    _listening: tracing::subscriber::DefaultGuard,
    _server: RedisServer,
}

impl Subject {
    fn new() -> Self {
        let (log, listening) = Log::listen(tracing::Level::WARN);
        let server = RedisServer::start();
        Self { cache: patient_cache(&server.url()), log, _listening: listening, _server: server }
    }

    /// Calls three times, each time after the previous value is stored as far as it will be.
    async fn thrice<T: PartialEq + std::fmt::Debug>(&self, call: impl AsyncFn() -> T, expected: T) {
        for _ in 0..3 {
            assert_eq!(self.cache.scope(call()).await, expected);
            self.cache.flush().await;
        }
    }

    fn site(&self, name: &str) -> SiteStats {
        self.cache.stats().site(name).unwrap().clone()
    }

    /// The one line that the log has about it.
    fn said(&self, site: &str, code: &str) {
        let lines = self.log.take();
        let is_it = |line: &&String| line.contains(code) && line.contains(&format!("user_code::{site}"));
        assert_eq!(lines.iter().filter(is_it).count(), 1, "{code} of `{site}`: {lines:#?}");
        assert_eq!(lines.len(), 1, "{lines:#?}");
    }
}

#[tokio::test]
async fn a_deserialize_that_panics_is_a_miss() {
    let on = Subject::new();
    on.thrice(async || unreadable(3).await, Unreadable(3)).await;
    let stats = on.site("unreadable");
    assert_eq!((stats.loads, stats.misses[&MissReason::Panicked]), (3, 2), "{stats:?}");
    on.said("unreadable", "`Deserialize` has panicked");
    let expected = HashMap::from([(3, Unreadable(3)), (4, Unreadable(4))]);
    on.thrice(async || unreadables(&[3, 4]).await, expected).await;
    assert_eq!(on.site("unreadables").misses[&MissReason::Panicked], 5);
    on.said("unreadables", "`Deserialize` has panicked");
}

#[tokio::test]
async fn nor_is_a_value_past_its_end_served_that_cannot_be_read() {
    let on = Subject::new();
    on.thrice(
        async || {
            let value = unreadable_stale(3).await;
            // Its time is over before the next call.
            tokio::time::sleep(Duration::from_millis(2)).await;
            value
        },
        Ok(Unreadable(3)),
    )
    .await;
    let stats = on.site("unreadable_stale");
    assert_eq!((stats.loads, stats.misses[&MissReason::Panicked], stats.stale), (3, 2, 0), "{stats:?}");
    on.said("unreadable_stale", "`Deserialize` has panicked");
}

#[tokio::test]
async fn callers_that_share_a_load_are_none_the_worse() {
    let on = Subject::new();
    let load = || async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok::<_, ()>(Unreadable(3))
    };
    let call = async |_| on.cache.entry("k").get_or_load(load).await;
    let values = futures_util::future::join_all((0..10).map(call)).await;
    assert!(values.iter().all(|value| *value == Ok(Unreadable(3))));
}

#[tokio::test]
async fn by_hand_as_well() {
    let on = Subject::new();
    on.cache.entry("k").set(&Unreadable(3)).await.unwrap();
    assert_eq!(on.cache.entry("k").get::<Unreadable>().await, None);
    assert_eq!(on.site("Cache::entry").misses[&MissReason::Panicked], 1);
    assert!(matches!(on.cache.entry("k").set(&Unwritable(1)).await, Err(CacheError::Encode { .. })));
    on.thrice(async || on.cache.entry("l").get_or_load(async || Ok::<_, ()>(Unwritable(1))).await, Ok(Unwritable(1)))
        .await;
    assert_eq!(on.site("Cache::entry").unstored[&UnstoredReason::Panicked], 3);
}

#[tokio::test]
async fn a_serialize_that_panics_does_not_cost_the_value() {
    let on = Subject::new();
    on.thrice(async || unwritable(3).await, Some(Unwritable(3))).await;
    assert_eq!(on.site("unwritable").unstored[&UnstoredReason::Panicked], 3);
    on.said("unwritable", "`Serialize` has panicked");
    on.thrice(async || unwritables(&[3]).await, HashMap::from([(3, Unwritable(3))])).await;
    assert_eq!(on.site("unwritables").unstored[&UnstoredReason::Panicked], 3);
    on.said("unwritables", "`Serialize` has panicked");
    on.thrice(async || put_unwritable(3).await, Unwritable(3)).await;
    let stats = on.site("put_unwritable");
    assert_eq!((stats.applied, stats.unstored[&UnstoredReason::Panicked]), (3, 3), "the write is whole");
    on.said("put_unwritable", "`Serialize` has panicked");
}

#[tokio::test]
async fn neither_do_the_closures_of_the_attribute() {
    let on = Subject::new();
    let session = Session { expires_in: 10 };
    let not_stored = |site: &str, code: &str| {
        let stats = on.site(site);
        assert_eq!((stats.stored, stats.unstored[&UnstoredReason::Panicked]), (0, 3), "{stats:?}");
        on.said(site, code);
    };
    on.thrice(async || ttl(10).await, session.clone()).await;
    not_stored("ttl", "the closure of `ttl` has panicked");
    on.thrice(async || ttl_in_a_task(10).await, session.clone()).await;
    not_stored("ttl_in_a_task", "the closure of `ttl` has panicked");
    on.thrice(async || cache_if(10).await, Ok(session.clone())).await;
    not_stored("cache_if", "the closure of `cache_if` has panicked");
    on.thrice(async || tags(10).await, session.clone()).await;
    not_stored("tags", "the closure of `tags` has panicked");
    on.thrice(async || ttls(&[10]).await, HashMap::from([(10, session.clone())])).await;
    not_stored("ttls", "the closure of `ttl` has panicked");
    on.thrice(async || put_with_tags(10).await, session).await;
    not_stored("put_with_tags", "the closure of `tags` has panicked");
}

#[tokio::test]
async fn a_clone_for_the_near_cache_does_neither() {
    let on = Subject::new();
    on.thrice(async || unclonable(3).await, Unclonable(3)).await;
    let stats = on.site("unclonable");
    assert!(stats.hits > 0 && stats.near_hits == 0, "{stats:?}");
    assert_eq!(stats.unstored[&UnstoredReason::Panicked], stats.hits, "each was to be kept: {stats:?}");
    on.said("unclonable", "`Clone` has panicked");
    // One clone is enough to keep the value, and none is left for a hit.
    eventually("it is kept", async || {
        CLONES.set(1);
        on.cache.scope(unclonable(3)).await;
        CLONES.get() == 0
    })
    .await;
    let before = on.site("unclonable");
    on.thrice(async || unclonable(3).await, Unclonable(3)).await;
    let stats = on.site("unclonable");
    assert_eq!((stats.near_hits, stats.hits, stats.calls()), (0, before.hits + 3, before.calls() + 3), "{stats:?}");
}

/// Else it would outlive the event that is to end it.
#[tokio::test]
async fn nothing_is_set_that_depends_on_what_cannot_be_rendered() {
    #[derive(cached_core::CacheEvent)]
    struct Changed {
        part: Unrenderable,
    }
    let cache = Cache::memory();
    let entry = cache.entry("handed").invalidate_on(&Changed { part: Unrenderable });
    assert!(matches!(entry.set(&1).await, Err(CacheError::Unrenderable)));
    assert_eq!(cache.entry("handed").get::<i32>().await, None);
}

#[tokio::test]
async fn a_panic_while_the_key_is_rendered_runs_uncached() {
    let on = Subject::new();
    on.thrice(async || unrenderable(Unrenderable).await, 7).await;
    let stats = on.site("unrenderable");
    assert_eq!((stats.loads, stats.bypassed, stats.misses[&MissReason::Key]), (3, 3, 3), "{stats:?}");
    on.said("unrenderable", "`part` cannot be written into the key");
    let calls = Cell::new(0);
    on.thrice(async || unhashable(Unwritable(3), &calls).await, 3).await;
    assert_eq!(calls.get(), 3);
    on.said("unhashable", "`value` cannot be written into the key");
    on.thrice(async || change_unrenderable(Unrenderable).await, Ok(8)).await;
    assert_eq!(on.site("change_unrenderable").failed, 3);
    let lines = on.log.take();
    let names = |line: &String| line.contains("the `KeyIdentity` or `Serialize` of `part` fails or panics");
    assert!(lines.len() == 3 && lines.iter().all(names), "an invalidation that is lost is said each time: {lines:#?}");
}

#[tokio::test]
#[should_panic(expected = "the caller's own")]
async fn a_panic_in_the_function_itself_is_the_caller_s() {
    let on = Subject::new();
    let load = async || if on.log.take().is_empty() { panic!("the caller's own") } else { Ok::<u8, ()>(1) };
    let _ = on.cache.entry("k").get_or_load(load).await;
}
