//! A call without an entry says why. No body of an annotated function runs for it.

use super::{Runs, User, user, with_cache};
use cached_core::{
    Cache, CacheEvent, EntryError, SiteStats, entries, entry, redis_cached, redis_invalidate, redis_put,
};
use serde::{Serialize, Serializer};
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::time::timeout;

#[redis_cached(key = "refused:<id>", skip(runs))]
async fn find(runs: &Runs, id: u64) -> Option<User> {
    runs.one();
    Some(user(id, "loaded"))
}

#[redis_cached(key = "refused:<id>", batch = ids)]
async fn find_many(ids: &[u64]) -> HashMap<u64, User> {
    ids.iter().map(|id| (*id, user(*id, "loaded"))).collect()
}

#[derive(Clone, Copy)]
struct Broken;

impl Serialize for Broken {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("broken"))
    }
}

#[redis_cached(key = "broken:<it:serde>", skip(runs))]
async fn broken(runs: &Runs, it: Broken) -> u64 {
    runs.one();
    let _ = it;
    1
}

#[redis_cached(key = "broken-many:<it:serde>", batch = its)]
async fn broken_many(its: &[Broken]) -> Vec<Option<u64>> {
    vec![Some(1); its.len()]
}

#[derive(CacheEvent)]
struct Changed {
    id: u64,
}

#[redis_invalidate(Changed { id })]
async fn change(runs: &Runs, id: u64) {
    runs.one();
}

#[redis_invalidate(Changed { id }, mode = "after")]
async fn change_after(runs: &Runs, id: u64) {
    runs.one();
}

#[redis_put(key = "refused:<id>")]
async fn put(runs: &Runs, id: u64) -> Option<User> {
    runs.one();
    Some(user(id, "put"))
}

async fn not_annotated(id: u64) -> u64 {
    tokio::task::yield_now().await;
    id
}

fn calls(cache: &Cache) -> u64 {
    cache.stats().sites.iter().map(SiteStats::calls).sum()
}

/// The function's name in an error; it begins with the path of this module.
fn name(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or_default()
}

#[tokio::test]
async fn a_call_of_a_function_without_an_attribute_has_no_entry() {
    with_cache(async |_| {
        assert_eq!(entry!(not_annotated(7)).unwrap_err(), EntryError::NoCall);
        assert_eq!(entry!(std::future::ready(7_u64)).unwrap_err(), EntryError::NoCall);
        assert_eq!(entries!(async { vec![Some(7_u64)] }).unwrap_err(), EntryError::NoCall);
    })
    .await;
}

#[tokio::test]
async fn a_call_that_was_polled_before() {
    let server = tests::RedisServer::start();
    let cache = Cache::connect("cache", server.url()).await.unwrap();
    let runs = Runs::default();
    cache
        .scope(async {
            let mut call = Box::pin(find(&runs, 7));
            poll_fn(|context| {
                assert!(call.as_mut().poll(context).is_pending(), "it waits for the server");
                Poll::Ready(())
            })
            .await;
            assert_eq!(entry!(call).unwrap_err(), EntryError::NoCall);
        })
        .await;
}

#[tokio::test]
async fn several_calls_at_once() {
    with_cache(async |_| {
        let runs = Runs::default();
        let both = async {
            let (one, _other) = tokio::join!(find(&runs, 7), find_many(&[1]));
            one
        };
        match entry!(both).unwrap_err() {
            EntryError::Several { first, second } => assert_eq!((name(first), name(second)), ("find", "find_many")),
            other => panic!("{other}"),
        }
        assert_eq!(runs.so_far(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_call_without_a_cache() {
    let runs = Runs::default();
    match entry!(find(&runs, 7)).unwrap_err() {
        EntryError::NoCache { function } => assert_eq!(name(function), "find"),
        other => panic!("{other}"),
    }
    let error = entries!(find_many(&[7])).unwrap_err();
    assert!(matches!(error, EntryError::NoCache { .. }), "{error}");
    assert_eq!(runs.so_far(), 0);
}

#[tokio::test]
async fn an_argument_that_cannot_be_rendered() {
    with_cache(async |cache| {
        let runs = Runs::default();
        match entry!(broken(&runs, Broken)).unwrap_err() {
            EntryError::Key { function, argument } => assert_eq!((name(function), argument), ("broken", "it")),
            other => panic!("{other}"),
        }
        let error = entries!(broken_many(&[Broken])).unwrap_err();
        assert!(matches!(error, EntryError::Key { argument: "it", .. }), "{error}");
        assert_eq!((runs.so_far(), calls(&cache)), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn writes_are_not_begun() {
    with_cache(async |cache| {
        let runs = Runs::default();
        let stays = entry!(find(&runs, 7)).unwrap();
        stays.set(&user(7, "Ada")).await.unwrap();
        let error = entry!(put(&runs, 7)).unwrap_err();
        assert!(matches!(error, EntryError::Write { function } if name(function) == "put"), "{error}");
        let wrapped = |after: bool| {
            let runs = &runs;
            async move {
                if after {
                    change_after(runs, 7).await;
                } else {
                    change(runs, 7).await;
                }
                7_u64
            }
        };
        for after in [false, true] {
            let error = entry!(wrapped(after)).unwrap_err();
            assert!(matches!(error, EntryError::Write { .. }), "{error}");
        }
        assert_eq!(runs.so_far(), 0, "no body has run");
        assert_eq!(stays.get().await, Some(user(7, "Ada")), "and nothing was invalidated");
        let written: u64 = cache.stats().sites.iter().map(|site| site.applied + site.failed + site.cancelled).sum();
        assert_eq!(written, 0);
    })
    .await;
}

#[tokio::test]
async fn a_batch_and_a_single_call_are_told_apart() {
    with_cache(async |_| {
        let runs = Runs::default();
        let error = entry!(find_many(&[7])).unwrap_err();
        assert!(matches!(error, EntryError::Batch { function } if name(function) == "find_many"), "{error}");
        let error = entry!(find_many(&[])).unwrap_err();
        assert!(matches!(error, EntryError::Batch { .. }), "{error}");
        let around = async { vec![find(&runs, 7).await.map(|user| user.id)] };
        let error = entries!(around).unwrap_err();
        assert!(matches!(error, EntryError::NoBatch { function } if name(function) == "find"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_function_around_the_call_runs_up_to_it() {
    with_cache(async |cache| {
        let (before, runs, behind) = (Runs::default(), Runs::default(), Runs::default());
        let around = async || {
            before.one();
            // Asked within another question, which then continues.
            let inner = entry!(find(&runs, 8)).unwrap();
            assert!(inner.key().ends_with(":8"));
            let found = find(&runs, 7).await;
            behind.one();
            found
        };
        assert_eq!(entry!(around()).unwrap().redis_key(), "cache:k:refused:7");
        assert_eq!((before.so_far(), runs.so_far(), behind.so_far()), (1, 0, 0));

        let name_of = async { find(&runs, 7).await.map(|user| user.name) };
        match entry!(name_of).unwrap_err() {
            EntryError::Type { function, holds, returns } => {
                assert_eq!((name(function), name(holds), name(returns)), ("find", "User", "String"));
            }
            other => panic!("{other}"),
        }

        // The following call is not asked for its entry any more.
        assert_eq!(find(&runs, 7).await, Some(user(7, "loaded")));
        assert_eq!((runs.so_far(), calls(&cache)), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn a_panic_in_front_of_the_call_leaves_nothing_behind() {
    with_cache(async |_| {
        let runs = Runs::default();
        let panics = async {
            assert_eq!(runs.so_far(), 1, "in front of the call");
            find(&runs, 7).await
        };
        let panics = pin!(panics);
        let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| entry!(panics)));
        assert!(asked.is_err());
        let found = timeout(Duration::from_secs(10), find(&runs, 7)).await;
        assert_eq!(found, Ok(Some(user(7, "loaded"))), "this thread asks no more");
    })
    .await;
}
