//! `error_if`: a chosen error is an answer, which is stored for a short time. Any other error is a failure, which never
//! is.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::store::{MemoryStore, Store};
use cached_core::{Cache, CacheEvent, Clock, Invalidation, Outcome, UnstoredReason, entry, redis_cached};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use tests::{RedisServer, patient_cache};

mod refreshed;
mod shared;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum ApiError {
    NotFound { id: u64 },
    Overloaded,
}

impl ApiError {
    fn is_answer(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }
}

const fn not_found(id: u64) -> ApiError {
    ApiError::NotFound { id }
}

type Answer = Result<String, ApiError>;

#[expect(clippy::unnecessary_wraps, reason = "it is what a load returns")]
fn row(text: &str) -> Answer {
    Ok(text.to_owned())
}

/// A source that returns what it was told, the last thing again and again.
#[derive(Debug, Clone)]
struct Source<R>(Arc<SourceState<R>>);

#[derive(Debug)]
struct SourceState<R> {
    answers: Mutex<VecDeque<R>>,
    loads: AtomicU64,
}

impl<R: Clone> Source<R> {
    fn of(answers: impl IntoIterator<Item = R>) -> Self {
        let answers = Mutex::new(answers.into_iter().collect());
        Self(Arc::new(SourceState { answers, loads: AtomicU64::new(0) }))
    }

    fn loads(&self) -> u64 {
        self.0.loads.load(Ordering::SeqCst)
    }

    async fn load(&self) -> R {
        self.0.loads.fetch_add(1, Ordering::SeqCst);
        // Callers that come now share this load.
        tokio::task::yield_now().await;
        let mut answers = self.0.answers.lock().unwrap();
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() }
    }
}

/// Two caches side by side, like two processes, on one store.
struct Pair {
    here: Cache,
    there: Cache,
    clock: Clock,
}

impl Pair {
    fn new() -> Self {
        let clock = Clock::manual();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(1 << 24, clock.clone()));
        let cache = || {
            Cache::builder().namespace("cache").clock(clock.clone()).store(Arc::clone(&store)).refresh_cooldown(ms(1))
        };
        Self { here: cache().build().unwrap(), there: cache().build().unwrap(), clock }
    }

    fn later(&self, by: Duration) {
        self.clock.advance(by);
    }
}

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[derive(Debug, CacheEvent)]
struct Created {
    id: u64,
}

#[redis_cached(
    key = "error-user:<id>", ttl = "1h", jitter = 0, error_if = ApiError::is_answer, error_ttl = "30s",
    invalidate_on = Created { id }, tags = "users", cache = cache, skip(cache, source)
)]
async fn find(cache: &Cache, source: &Source<Answer>, id: u64) -> Answer {
    source.load().await
}

/// A call, and all that it leaves to be done.
async fn settled<R>(cache: &Cache, call: impl Future<Output = R>) -> R {
    let returned = call.await;
    cache.flush().await;
    returned
}

#[tokio::test]
async fn a_chosen_error_is_served_to_the_next_calls_of_all_processes() {
    let on = Pair::new();
    let source = Source::of([Err(not_found(1)), row("now it is there")]);
    for cache in [&on.here, &on.here, &on.there, &on.there] {
        assert_eq!(settled(cache, find(cache, &source, 1)).await, Err(not_found(1)));
    }
    assert_eq!(source.loads(), 1);
    let (here, there) = (on.here.stats(), on.there.stats());
    let (here, there) = (here.site("find").unwrap(), there.site("find").unwrap());
    assert_eq!((here.loads, here.hits, here.load_errors, here.stored), (1, 1, 0, 1));
    assert_eq!((there.loads, there.hits), (0, 2));
}

#[tokio::test]
async fn any_other_error_is_a_failure_and_never_stored() {
    let on = Pair::new();
    let source = Source::of([Err(ApiError::Overloaded)]);
    for loads in 1..4 {
        assert_eq!(settled(&on.here, find(&on.here, &source, 1)).await, Err(ApiError::Overloaded));
        assert_eq!(source.loads(), loads);
    }
    let stats = on.here.stats();
    let stats = stats.site("find").unwrap();
    assert_eq!((stats.load_errors, stats.stored, stats.unstored.len()), (3, 0, 0));
}

#[tokio::test]
async fn a_stored_error_ends_with_its_own_time() {
    let on = Pair::new();
    let source = Source::of([Err(not_found(1)), row("created"), row("changed")]);
    settled(&on.here, find(&on.here, &source, 1)).await.unwrap_err();
    on.later(secs(30).checked_sub(ms(1)).unwrap());
    assert_eq!(find(&on.there, &source, 1).await, Err(not_found(1)));
    on.later(ms(2));
    assert_eq!(settled(&on.there, find(&on.there, &source, 1)).await, row("created"));
    on.later(secs(3_500));
    assert_eq!(find(&on.here, &source, 1).await, row("created"), "values have a time of their own");
}

#[tokio::test]
async fn every_invalidation_ends_a_stored_error() {
    let on = Pair::new();
    for way in 0..3 {
        let source = Source::of([Err(not_found(way)), row("created")]);
        settled(&on.here, find(&on.here, &source, way)).await.unwrap_err();
        let outcome = match way {
            0 => entry!(find(&on.there, &source, way)).unwrap().invalidate().await,
            1 => on.there.emit(&Created { id: way }).await,
            _ => on.there.invalidate(Invalidation::new().tag("users")).await,
        };
        assert_eq!(outcome, Outcome::Applied);
        assert_eq!(settled(&on.here, find(&on.here, &source, way)).await, row("created"), "way {way}");
    }
}

#[tokio::test]
async fn an_error_that_an_invalidation_has_overtaken_is_not_stored() {
    for event in [false, true] {
        let on = Pair::new();
        let source = Source::of([Err(not_found(1)), row("created")]);
        let entry = entry!(find(&on.there, &source, 1)).unwrap();
        let mut load = Box::pin(find(&on.here, &source, 1));
        // The body has begun: it read the source before the row was created.
        while source.loads() == 0 {
            let polled = std::future::poll_fn(|context| Poll::Ready(load.as_mut().poll(context))).await;
            assert!(polled.is_pending());
            tokio::task::yield_now().await;
        }
        let outcome = if event { on.there.emit(&Created { id: 1 }).await } else { entry.invalidate().await };
        assert_eq!(outcome, Outcome::Applied);
        assert_eq!(settled(&on.here, load).await, Err(not_found(1)));
        assert_eq!(settled(&on.here, find(&on.here, &source, 1)).await, row("created"), "by an event: {event}");
    }
}

#[tokio::test]
async fn calls_that_wait_for_a_load_get_its_chosen_error_and_not_its_failure() {
    let on = Pair::new();
    let source = Source::of([Err(not_found(1)), row("never")]);
    let calls = (0..20).map(|_| find(&on.here, &source, 1));
    let returned = futures_util::future::join_all(calls).await;
    assert!(returned.iter().all(|returned| *returned == Err(not_found(1))), "{returned:?}");
    assert_eq!(source.loads(), 1);
    assert_eq!(on.here.stats().site("find").unwrap().coalesced, 19);

    let source = Source::of([Err(ApiError::Overloaded), row("up again")]);
    let calls = (0..20).map(|_| find(&on.here, &source, 2));
    let returned = futures_util::future::join_all(calls).await;
    assert_eq!(returned.iter().filter(|returned| returned.is_err()).count(), 1, "{returned:?}");
}

macro_rules! with_codec {
    ($($name:ident $key:literal $codec:literal)*) => {$(
        #[redis_cached(
            key = $key, codec = $codec, none_ttl = "10s", jitter = 0, error_if = |error| error.is_answer(),
            error_ttl = "20s", ttl = "30s", cache = cache, skip(cache, source)
        )]
        async fn $name(
            cache: &Cache,
            source: &Source<Result<Option<String>, ApiError>>,
            id: u64,
        ) -> Result<Option<String>, ApiError> {
            source.load().await
        }
    )*};
}

with_codec! {
    in_json "error-json:<id>" "json"
    in_msgpack "error-msgpack:<id>" "msgpack"
    in_postcard "error-postcard:<id>" "postcard"
}

#[tokio::test]
async fn a_value_a_none_and_an_error_have_a_time_each_in_every_codec() {
    let on = Pair::new();
    let answers = [Ok(None), Err(not_found(7)), Ok(Some(String::from("a row")))];
    for (id, (answer, time)) in answers.into_iter().zip([10, 20, 30]).enumerate() {
        let source = Source::of([answer.clone()]);
        for loads in 1..3 {
            for cache in [&on.here, &on.there] {
                let id = u64::try_from(id).unwrap();
                assert_eq!(settled(cache, in_json(cache, &source, id)).await, answer);
                assert_eq!(settled(cache, in_msgpack(cache, &source, id)).await, answer);
                assert_eq!(settled(cache, in_postcard(cache, &source, id)).await, answer);
                assert_eq!(source.loads(), 3 * loads, "{answer:?}");
                on.later(ms(1));
            }
            on.later(secs(time).checked_sub(ms(2)).unwrap());
        }
    }
}

fn not_for_errors<R>(_: &str) -> R {
    panic!("asked about an error")
}

#[redis_cached(
    key = "error-closures:<id>", ttl = |row: &String| not_for_errors(row), cache_if = |row: &String| not_for_errors(row),
    tags = |row: &String| not_for_errors::<[String; 1]>(row), error_if = |error: &ApiError| error.is_answer(),
    cache = cache, skip(cache, source)
)]
async fn closures(cache: &Cache, source: &Source<Answer>, id: u64) -> Answer {
    source.load().await
}

#[tokio::test]
async fn closures_of_the_value_are_not_asked_about_an_error() {
    let on = Pair::new();
    let source = Source::of([Err(not_found(1)), row("created")]);
    for _ in 0..2 {
        assert_eq!(settled(&on.here, closures(&on.here, &source, 1)).await, Err(not_found(1)));
    }
    assert_eq!(source.loads(), 1);
    on.later(secs(67));
    assert_eq!(settled(&on.here, closures(&on.here, &source, 1)).await, row("created"), "the class `short`, ±10 %");
}

/// What it forgets makes it another error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Forgetful {
    code: u16,
    #[serde(skip)]
    detail: String,
}

#[redis_cached(key = "error-forgetful:<id>", error_if = |error| error.code == 404, cache = cache, skip(cache, source))]
async fn forgetful(cache: &Cache, source: &Source<Result<u8, Forgetful>>, id: u64) -> Result<u8, Forgetful> {
    source.load().await
}

#[tokio::test]
async fn an_error_that_does_not_come_back_as_it_was_is_not_stored() {
    let on = Pair::new();
    let error = Forgetful { code: 404, detail: "no such row".into() };
    let source = Source::of([Err(error.clone())]);
    for loads in 1..3 {
        assert_eq!(settled(&on.here, forgetful(&on.here, &source, 1)).await, Err(error.clone()));
        assert_eq!(source.loads(), loads);
    }
    assert_eq!(on.here.stats().site("forgetful").unwrap().unstored[&UnstoredReason::Changed], 2);
}

#[redis_cached(
    key = "error-panics:<id>", ttl = "1s", jitter = 0, stale_if_error = "1h", error_if = |_| panic!("undecided"),
    cache = cache, skip(cache, source)
)]
async fn panics(cache: &Cache, source: &Source<Answer>, id: u64) -> Answer {
    source.load().await
}

#[tokio::test]
async fn an_error_at_which_the_closure_panics_is_a_failure() {
    let on = Pair::new();
    let source = Source::of([Err(not_found(1)), Err(not_found(1)), row("a row"), Err(not_found(1))]);
    for _ in 0..2 {
        assert_eq!(settled(&on.here, panics(&on.here, &source, 1)).await, Err(not_found(1)));
    }
    assert_eq!(settled(&on.here, panics(&on.here, &source, 1)).await, row("a row"));
    on.later(secs(2));
    assert_eq!(settled(&on.here, panics(&on.here, &source, 1)).await, row("a row"), "served, since the load failed");
    assert_eq!(source.loads(), 4);
    let stats = on.here.stats();
    let stats = stats.site("panics").unwrap();
    assert_eq!((stats.unstored[&UnstoredReason::Panicked], stats.load_errors, stats.stored), (3, 3, 1));
}

#[redis_cached(key = "error-windows:<id>", jitter = 0.0, error_if = ApiError::is_answer, error_ttl = "20s",
    stale_while_revalidate = "1h", stale_if_error = "2h", refresh_ahead, cache = cache, skip(cache, source))]
async fn windows(cache: &Cache, source: &Source<Answer>, id: u64) -> Answer {
    source.load().await
}

#[tokio::test]
async fn in_redis_a_stored_error_has_no_more_than_its_time() {
    let server = RedisServer::start();
    let (here, there) = (patient_cache(&server.url()), patient_cache(&server.url()));
    let source = Source::of([Err(not_found(1)), row("created")]);
    assert_eq!(settled(&here, windows(&here, &source, 1)).await, Err(not_found(1)));
    assert_eq!(windows(&there, &source, 1).await, Err(not_found(1)));
    assert_eq!(source.loads(), 1);
    let key = entry!(windows(&here, &source, 1)).unwrap().redis_key().to_owned();
    let left: i64 = server.send(&[b"PTTL", key.as_bytes()]).await;
    assert!((1..=20_000).contains(&left), "{left}");
    let register: Vec<u8> = server.send(&[b"GET", key.as_bytes()]).await;
    assert!(register.ends_with(br#"{"NotFound":{"id":1}}"#), "{register:?}");
    assert_eq!(entry!(windows(&here, &source, 1)).unwrap().invalidate().await, Outcome::Applied);
    assert_eq!(windows(&there, &source, 1).await, row("created"));
}
