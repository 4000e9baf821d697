//! The results of a batch, and the entries that it stores.

use super::source::{Source, on_both, user, users};
use cached_core::{Cache, Clock, Invalidation, MissReason, Outcome, UnstoredReason};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tests::eventually;

async fn only_what_is_missing_is_loaded(on: Source) {
    assert_eq!(on.find(2).await, Ok(Some(user(2))));
    on.cache.flush().await;
    assert_eq!(on.find_many(&[1, 2, 3]).await, Ok(users([1, 2, 3])));
    assert_eq!(on.asked(), [vec![2], vec![1, 3]], "in the order of the ids");
    on.cache.flush().await;
    assert_eq!(on.find_many(&[3, 2, 1]).await, Ok(users([1, 2, 3])));
    assert_eq!(on.find(3).await, Ok(Some(user(3))));
    assert_eq!(on.asked().len(), 0);
    let stats = on.stats("find_many");
    assert_eq!((stats.batches, stats.hits, stats.loads, stats.stored), (2, 4, 2, 2));
    assert_eq!((stats.calls(), &stats.misses), (6, &BTreeMap::from([(MissReason::Absent, 2)])));
}

async fn duplicates_and_no_ids_at_all(on: Source) {
    assert_eq!(on.find_many(&[]).await, Ok(HashMap::new()));
    assert_eq!(on.find_all(vec![]).await, Ok(vec![]));
    assert_eq!(on.asked().len(), 0, "the body did not run");
    assert_eq!(on.find_many(&[1, 2, 1, 1]).await, Ok(users([1, 2])));
    assert_eq!(on.asked(), [[1, 2]]);
    on.cache.flush().await;
    assert_eq!(on.find_many(&[2, 1, 2]).await, Ok(users([1, 2])));
    assert_eq!(on.stats("find_many").calls(), 4, "each distinct id once");
}

async fn a_list_is_in_the_order_of_the_ids(on: Source) {
    on.set(7, None);
    let expected = vec![Some(user(3)), None, Some(user(1)), Some(user(3)), None];
    for _ in 0..2 {
        assert_eq!(on.find_all(vec![3, 7, 1, 3, 7]).await, Ok(expected.clone()));
        on.cache.flush().await;
    }
    assert_eq!(on.find_all(vec![1, 2, 3]).await, Ok(vec![Some(user(1)), Some(user(2)), Some(user(3))]));
    assert_eq!(on.asked(), [vec![3, 7, 1], vec![2]]);
    assert_eq!(on.find_many(&[1, 2, 7]).await, Ok(users([1, 2])), "a map has the same entries");
    assert_eq!(on.asked().len(), 0);
}

async fn an_absent_id_is_remembered_as_one(on: Source) {
    on.set(7, None);
    assert_eq!(on.find_many(&[6, 7]).await, Ok(users([6])));
    on.cache.flush().await;
    assert_eq!(on.find(7).await, Ok(None));
    assert_eq!(on.find_many(&[7]).await, Ok(HashMap::new()));
    assert_eq!(on.asked(), [[6, 7]]);
    // `none_ttl = "off"`
    for _ in 0..2 {
        assert_eq!(on.sorted(&[6, 7]).await, BTreeMap::from([(6, user(6))]));
        on.cache.flush().await;
    }
    assert_eq!(on.asked(), [vec![6, 7], vec![7]]);
}

#[tokio::test]
async fn an_absent_id_is_forgotten_when_the_time_of_a_none_is_over() {
    let clock = Clock::manual();
    let on = Source::of(Cache::builder().clock(clock.clone()).build().unwrap());
    on.set(7, None);
    on.find_many(&[6, 7]).await.unwrap();
    on.cache.flush().await;
    clock.advance(Duration::from_secs(67));
    on.find_many(&[6, 7]).await.unwrap();
    assert_eq!(on.asked(), [vec![6, 7], vec![7]], "the value lives longer");
}

async fn an_error_is_returned_and_nothing_is_stored(on: Source) {
    on.find(1).await.unwrap();
    on.cache.flush().await;
    on.fails.store(true, Ordering::SeqCst);
    assert_eq!(on.find_many(&[1, 2, 3]).await, Err("no database".to_owned()));
    assert_eq!(on.find_many(&[1]).await, Ok(users([1])), "there is nothing to load");
    on.fails.store(false, Ordering::SeqCst);
    assert_eq!(on.find_many(&[2, 3]).await, Ok(users([2, 3])), "nothing stands in the way");
    let stats = on.stats("find_many");
    assert_eq!((stats.load_errors, stats.lease_waits, stats.bypassed), (2, 0, 0), "{stats:?}");
    assert_eq!(on.asked(), [vec![1], vec![2, 3], vec![2, 3]]);
}

async fn policies_are_of_each_value(on: Source) {
    assert_eq!(on.policy(&[1, 2, 3, 4]).await, Ok(users([1, 2, 3, 4])));
    on.cache.flush().await;
    assert_eq!(on.policy(&[1, 2, 3, 4]).await, Ok(users([1, 2, 3, 4])));
    assert_eq!(on.asked(), [vec![1, 2, 3, 4], vec![1, 3]]);
    assert_eq!(on.stats("policy").unstored[&UnstoredReason::Policy], 4);
}

async fn many_ids(on: Source) {
    let ids: Vec<u64> = (0..10_000).collect();
    assert_eq!(on.find_many(&ids).await, Ok(users(0..10_000)));
    on.cache.flush().await;
    assert_eq!(on.asked(), [&*ids]);
    let stats = on.stats("find_many");
    assert_eq!((stats.stored, stats.unstored.len()), (10_000, 0), "{stats:?}");
    assert_eq!(on.find_many(&ids).await, Ok(users(0..10_000)));
    assert_eq!(on.asked().len(), 0);
    assert_eq!(on.tagged(1, &ids[..3_000]).await.unwrap().len(), 3_000);
    on.cache.flush().await;
    assert_eq!(on.tagged(1, &ids[..3_000]).await.unwrap().len(), 3_000);
    assert_eq!(on.asked().len(), 1);
}

async fn a_panic_of_the_body_leaves_nothing_behind(on: Source) {
    let on = Arc::new(on);
    let panics = tokio::spawn({
        let on = Arc::clone(&on);
        async move { on.panics(&[1, 2]).await }
    });
    assert!(panics.await.unwrap_err().is_panic());
    assert_eq!(on.find_many(&[1, 2]).await, Ok(users([1, 2])));
    assert_eq!(on.asked(), [[1, 2], [1, 2]]);
}

async fn many_keys_without_an_attribute(on: Source) {
    let cache = &on.cache;
    cache.entry("one").tag("words").get_or_load(|| async { Ok::<u64, String>(3) }).await.unwrap();
    cache.flush().await;
    let asked = std::cell::RefCell::new(Vec::new());
    let load = |keys: Vec<&'static str>| {
        asked.borrow_mut().push(keys);
        async { Ok::<_, String>(HashMap::from([("three", 5_u64)])) }
    };
    let expected = HashMap::from([("one", 3), ("three", 5)]);
    for _ in 0..2 {
        assert_eq!(
            cache
                .entries(&["three", "one", "none", "three"], |key| (*key).to_owned())
                .tag("words")
                .get_or_load(load)
                .await,
            Ok(expected.clone())
        );
        cache.flush().await;
    }
    assert_eq!(*asked.borrow(), [["three", "none"]]);
    let absent =
        cache.entry("none").tag("words").get_or_load_option(|| async { Ok::<Option<u64>, String>(Some(4)) }).await;
    assert_eq!(absent, Ok(None), "the entries are the same");
    assert_eq!(cache.invalidate(Invalidation::new().tag("words")).await, Outcome::Applied);
    let failed = |_| async { Err::<HashMap<_, u64>, _>("no database".to_owned()) };
    assert_eq!(
        cache.entries(&["three", "one"], |key| (*key).to_owned()).tag("words").get_or_load(failed).await,
        Err("no database".to_owned())
    );
}

on_both!(
    only_what_is_missing_is_loaded,
    duplicates_and_no_ids_at_all,
    a_list_is_in_the_order_of_the_ids,
    an_absent_id_is_remembered_as_one,
    an_error_is_returned_and_nothing_is_stored,
    policies_are_of_each_value,
    many_ids,
    a_panic_of_the_body_leaves_nothing_behind,
    many_keys_without_an_attribute,
    functions_with_the_same_local_share_near_values,
);

#[tokio::test]
async fn without_a_cache_the_body_runs() {
    #[cached_core::redis_cached(key = "user:<id>", batch = ids)]
    async fn find(ids: &[u64]) -> HashMap<u64, usize> {
        ids.iter().map(|id| (*id, ids.len())).collect()
    }
    assert_eq!(find(&[1, 2]).await, HashMap::from([(1, 2), (2, 2)]));
}

#[test]
fn outside_of_a_runtime_the_body_runs() {
    let on = Source::memory();
    let mut found = std::pin::pin!(on.find_many(&[1, 1]));
    let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(found) = found.as_mut().poll(context) {
            return assert_eq!(found, Ok(users([1])));
        }
    }
}

async fn functions_with_the_same_local_share_near_values(on: Source) {
    on.near(&[1, 2]).await.unwrap();
    on.cache.flush().await;
    eventually("the store tells of changes", async || on.cache.stats().near.is_some_and(|near| near.coherent)).await;
    // Read, and kept near.
    on.near(&[1]).await.unwrap();
    assert_eq!(on.near_one(2).await, Ok(Some(user(2))));
    let (one, many, briefly) = (|| on.stats("near_one"), || on.stats("near"), || on.stats("near_briefly"));
    assert_eq!((one().near_hits, one().hits, many().near_hits), (0, 1, 0));
    assert_eq!(on.near_one(1).await, Ok(Some(user(1))));
    assert_eq!((one().near_hits, one().hits), (1, 1), "kept by the batch");
    on.near(&[2]).await.unwrap();
    assert_eq!(many().near_hits, 1, "kept by the single call");
    assert_eq!(on.near_briefly(1).await, Ok(Some(user(1))));
    assert_eq!((briefly().near_hits, briefly().hits), (0, 1), "which may be older than this one allows");
    assert_eq!(on.near_briefly(1).await, Ok(Some(user(1))));
    assert_eq!(briefly().near_hits, 1);
}

#[tokio::test]
async fn near_hits_are_of_each_id() {
    let on = Source::memory();
    for _ in 0..3 {
        assert_eq!(on.near(&[1, 2, 3]).await.unwrap().len(), 3);
        on.cache.flush().await;
    }
    let stats = on.stats("near");
    assert_eq!(stats.calls(), 9, "{stats:?}");
    assert_eq!(stats.near_hits + stats.hits, 6, "{stats:?}");
    assert_eq!(on.asked(), [[1, 2, 3]]);
}
