//! Stored errors beside other functions of the same key, puts, entries by hand and the near cache.

use super::{Answer, ApiError, Pair, Source, not_found, row, secs, settled};
use cached_core::{Cache, MissReason, Outcome, entry, redis_cached, redis_put};
use serde::{Deserialize, Serialize};
use std::future::Future;
use tests::{RedisServer, eventually};

#[redis_cached(key = "error-shared:<id>", error_if = ApiError::is_answer, cache = cache, skip(cache, source))]
async fn stores_errors(cache: &Cache, source: &Source<Answer>, id: u64) -> Answer {
    source.load().await
}

/// As another build has it, from before the option was written.
#[redis_cached(key = "error-shared:<id>", cache = cache, skip(cache, source))]
async fn stores_none(cache: &Cache, source: &Source<Answer>, id: u64) -> Answer {
    source.load().await
}

#[redis_put(key = "error-shared:<id>", cache = cache)]
async fn create(cache: &Cache, id: u64, text: &str) -> Answer {
    let _ = id;
    if text.is_empty() { Err(ApiError::Overloaded) } else { row(text) }
}

#[tokio::test]
async fn functions_with_and_without_the_option_share_their_values_but_no_error() {
    let on = Pair::new();
    let source = Source::of([row("a row"), Err(not_found(2)), row("own")]);
    assert_eq!(settled(&on.here, stores_none(&on.here, &source, 1)).await, row("a row"));
    assert_eq!(stores_errors(&on.there, &source, 1).await, row("a row"));
    assert_eq!(source.loads(), 1);

    assert_eq!(settled(&on.here, stores_errors(&on.here, &source, 2)).await, Err(not_found(2)));
    for cache in [&on.here, &on.there] {
        assert_eq!(settled(cache, stores_none(cache, &source, 2)).await, row("own"), "stands beside the error");
        assert_eq!(settled(cache, stores_errors(cache, &source, 2)).await, Err(not_found(2)));
    }
    assert_eq!(source.loads(), 3);
    assert_eq!(on.here.stats().site("stores_none").unwrap().misses[&MissReason::Type], 1);

    // What the error stood for is over, so both see the row.
    on.later(secs(67));
    let source = Source::of([row("new")]);
    assert_eq!(settled(&on.here, stores_errors(&on.here, &source, 2)).await, row("new"));
    assert_eq!(settled(&on.there, stores_none(&on.there, &source, 2)).await, row("new"));
    assert_eq!(source.loads(), 1);
}

#[tokio::test]
async fn concurrent_calls_with_and_without_the_option_get_the_answers_of_their_own_kind() {
    let on = Pair::new();
    let (errors, none) = (Source::of([Err(not_found(1))]), Source::of([row("own")]));
    let both = (0..10).map(|_| async {
        futures_util::future::join(stores_errors(&on.here, &errors, 1), stores_none(&on.here, &none, 1)).await
    });
    for (with, without) in futures_util::future::join_all(both).await {
        assert_eq!((with, without), (Err(not_found(1)), row("own")));
    }
    assert_eq!((errors.loads(), none.loads()), (1, 1));
}

/// They serve no errors, so they do not wait for a load that may end in one; and they do not all load.
#[tokio::test]
async fn the_entry_of_a_call_loads_once_beside_a_load_that_ends_in_an_error() {
    let on = Pair::new();
    let (errors, own) = (Source::of([Err(not_found(1))]), Source::of([row("own")]));
    let call = stores_errors(&on.here, &errors, 1);
    let entry = entry!(stores_errors(&on.here, &errors, 1)).unwrap();
    let by_entry = (0..100).map(|_| entry.get_or_load(|| own.load()));
    let (called, by_entry) = futures_util::future::join(call, futures_util::future::join_all(by_entry)).await;
    assert_eq!(called, Err(not_found(1)));
    for answer in by_entry {
        assert_eq!(answer, row("own"));
    }
    assert_eq!((errors.loads(), own.loads()), (1, 1));
}

#[tokio::test]
async fn a_put_replaces_a_stored_error_and_a_failed_put_removes_it() {
    let on = Pair::new();
    let source = Source::of([Err(not_found(1)), row("loaded")]);
    settled(&on.here, stores_errors(&on.here, &source, 1)).await.unwrap_err();
    assert_eq!(create(&on.there, 1, "created").await, row("created"));
    assert_eq!(stores_errors(&on.here, &source, 1).await, row("created"), "without a load");
    assert_eq!(source.loads(), 1);

    let source = Source::of([Err(not_found(2)), row("loaded")]);
    settled(&on.here, stores_errors(&on.here, &source, 2)).await.unwrap_err();
    assert_eq!(create(&on.there, 2, "").await, Err(ApiError::Overloaded));
    assert_eq!(settled(&on.here, stores_errors(&on.here, &source, 2)).await, row("loaded"));
}

#[tokio::test]
async fn the_entry_of_a_stored_error_has_no_value_until_one_is_set() {
    let on = Pair::new();
    let source = Source::of([Err(not_found(1))]);
    let entry = entry!(stores_errors(&on.here, &source, 1)).unwrap();
    settled(&on.here, stores_errors(&on.here, &source, 1)).await.unwrap_err();
    assert_eq!(entry.get().await, None);
    let stats = on.here.stats();
    assert_eq!(stats.site("stores_errors").unwrap().hits, 1, "it is an answer, not a miss");
    entry.set(&"by hand".to_owned()).await.unwrap();
    assert_eq!(entry.get().await.as_deref(), Some("by hand"));
    assert_eq!(stores_errors(&on.there, &source, 1).await, row("by hand"));
    assert_eq!(source.loads(), 1);
}

/// The same words as an [`ApiError`], in another type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum OtherError {
    NotFound { id: u64 },
}

#[redis_cached(key = "error-shared:<id>", error_if = |_| true, cache = cache, skip(cache, source))]
async fn stores_others(
    cache: &Cache,
    source: &Source<Result<String, OtherError>>,
    id: u64,
) -> Result<String, OtherError> {
    source.load().await
}

#[tokio::test]
async fn an_error_of_another_type_is_not_read() {
    let on = Pair::new();
    let (ours, others) = (Source::of([Err(not_found(1))]), Source::of([Err(OtherError::NotFound { id: 9 })]));
    for _ in 0..3 {
        assert_eq!(settled(&on.here, stores_errors(&on.here, &ours, 1)).await, Err(not_found(1)));
        assert_eq!(settled(&on.there, stores_others(&on.there, &others, 1)).await, Err(OtherError::NotFound { id: 9 }));
    }
    assert_eq!((ours.loads(), others.loads()), (1, 1), "side by side");
}

/// Values and errors are of one type, so their bytes are alike.
#[redis_cached(key = "error-alike:<id>", error_if = |error: &String| error != "down", local = "1m", cache = cache,
    skip(cache, source))]
async fn alike(cache: &Cache, source: &Source<Result<String, String>>, id: u64) -> Result<String, String> {
    source.load().await
}

/// What a near cache has answered.
fn near_hits(cache: &Cache, name: &str) -> u64 {
    cache.stats().site(name).map_or(0, |site| site.near_hits)
}

async fn is_kept<R>(cache: &Cache, name: &str, call: impl Fn() -> R)
where
    R: Future,
{
    let before = near_hits(cache, name);
    eventually("the near cache answers", async || {
        call().await;
        cache.flush().await;
        near_hits(cache, name) > before
    })
    .await;
}

#[tokio::test]
async fn values_and_errors_of_one_type_are_not_mistaken_for_each_other() {
    let on = Pair::new();
    for (id, answer) in [(1, Ok("same".to_owned())), (2, Err("same".to_owned()))] {
        let source = Source::of([answer.clone()]);
        is_kept(&on.here, "alike", || alike(&on.here, &source, id)).await;
        for cache in [&on.here, &on.there] {
            assert_eq!(alike(cache, &source, id).await, answer);
        }
        assert_eq!(source.loads(), 1);
    }
}

#[redis_cached(key = "error-near:<id>", error_if = ApiError::is_answer, error_ttl = "20s", jitter = 0, local = "10m",
    on_gap = "serve", stale_while_revalidate = "1h", cache = cache, skip(cache, source))]
async fn near(cache: &Cache, source: &Source<Answer>, id: u64) -> Answer {
    source.load().await
}

#[tokio::test]
async fn the_near_cache_serves_a_stored_error_for_no_longer_than_it_lives() {
    let on = Pair::new();
    let source = Source::of([Err(not_found(1)), row("created")]);
    is_kept(&on.here, "near", || near(&on.here, &source, 1)).await;
    let before = near_hits(&on.here, "near");
    assert_eq!(near(&on.here, &source, 1).await, Err(not_found(1)));
    assert_eq!(near_hits(&on.here, "near"), before + 1);
    on.later(secs(21));
    assert_eq!(near(&on.here, &source, 1).await, row("created"));
}

#[tokio::test]
async fn on_a_server_the_near_cache_drops_an_error_that_is_invalidated() {
    let server = RedisServer::start();
    let cache = || {
        let patient = Cache::builder().namespace("cache").budget(secs(2)).near_heartbeat(secs(1));
        patient.redis(server.url()).build().unwrap()
    };
    let (here, there) = (cache(), cache());
    let source = Source::of([Err(not_found(1)), row("created")]);
    is_kept(&here, "near", || near(&here, &source, 1)).await;
    assert_eq!(entry!(near(&there, &source, 1)).unwrap().invalidate().await, Outcome::Applied);
    eventually("the row is seen", async || near(&here, &source, 1).await == row("created")).await;
}

/// An error that cannot be kept near, where nobody has asked for that by `local`.
#[derive(Debug, Serialize, Deserialize)]
struct Unkept(u8);

#[redis_cached(key = "error-unkept:<id>", error_if = |_| true, cache = cache, skip(cache))]
async fn unkept(cache: &Cache, id: u8) -> Result<u64, Unkept> {
    if id == 0 { Ok(7) } else { Err(Unkept(id)) }
}

#[tokio::test]
async fn with_the_builders_near_cache_errors_that_cannot_be_kept_come_from_the_store() {
    let cache = Cache::builder().namespace("cache").near_ttl(secs(60)).build().unwrap();
    is_kept(&cache, "unkept", || unkept(&cache, 0)).await;
    for _ in 0..5 {
        assert_eq!(settled(&cache, unkept(&cache, 1)).await.unwrap_err().0, 1);
    }
    let stats = cache.stats();
    let stats = stats.site("unkept").unwrap();
    assert_eq!((stats.loads, stats.hits >= 4, stats.unstored.len()), (2, true, 0), "{stats:?}");
}
