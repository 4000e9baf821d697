//! Batches and single calls at the same time: one load for each id, and nobody waits in a circle.

use super::source::{Source, on_both, user, users};
use cached_core::Cache;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::timeout;

/// Far above what any of these takes, and below the time for which a call waits for another.
const SOON: Duration = Duration::from_secs(4);

/// How often each id was loaded.
fn loads(asked: &[Vec<u64>]) -> BTreeMap<u64, usize> {
    let mut loads = BTreeMap::new();
    asked.iter().flatten().for_each(|id| *loads.entry(*id).or_default() += 1);
    loads
}

fn once(ids: impl IntoIterator<Item = u64>) -> BTreeMap<u64, usize> {
    ids.into_iter().map(|id| (id, 1)).collect()
}

async fn a_single_call_waits_for_a_batch(on: Source) {
    on.close();
    let single = async {
        on.loading(1).await;
        tokio::join!(on.find(2), async { on.open() }).0
    };
    let (many, one) = tokio::join!(on.find_many(&[1, 2, 3]), single);
    assert_eq!((many, one), (Ok(users([1, 2, 3])), Ok(Some(user(2)))));
    assert_eq!(on.asked(), [[1, 2, 3]]);
}

async fn a_batch_waits_for_a_single_call_and_loads_the_rest_meanwhile(on: Source) {
    on.close();
    let many = async {
        on.loading(1).await;
        let opener = async {
            on.loading(2).await;
            on.open();
        };
        tokio::join!(on.find_many(&[1, 2, 3]), opener).0
    };
    let (one, many) = tokio::join!(on.find(2), many);
    assert_eq!((one, many), (Ok(Some(user(2))), Ok(users([1, 2, 3]))));
    assert_eq!(on.asked(), [vec![2], vec![1, 3]]);
}

async fn what_a_failed_load_does_not_bring_is_loaded_by_a_second_run(on: Source) {
    on.close();
    on.fails.store(true, Ordering::SeqCst);
    let many = async {
        on.loading(1).await;
        on.fails.store(false, Ordering::SeqCst);
        let opener = async {
            on.loading(2).await;
            on.open();
        };
        tokio::join!(on.find_many(&[1, 2, 3, 4]), opener).0
    };
    let (failed, many) = tokio::join!(on.find_many(&[2, 3]), many);
    assert_eq!((failed.is_err(), many), (true, Ok(users([1, 2, 3, 4]))));
    assert_eq!(on.asked(), [[2, 3], [1, 4], [2, 3]]);
}

/// If it is given up during its load, its followers take over; if it is given up while it waits, nobody notices.
async fn a_batch_that_is_given_up_hands_over(on: Source) {
    on.close();
    let mut given_up = Box::pin(on.find_many(&[1, 2]));
    tokio::select! {
        _ = &mut given_up => panic!("it cannot end"),
        () = on.loading(1) => {}
    }
    let heir = on.find_many(&[2, 1]);
    let drops = async {
        tokio::task::yield_now().await;
        drop(given_up);
        on.open();
    };
    let (heir, ()) = timeout(SOON, async { tokio::join!(heir, drops) }).await.unwrap();
    assert_eq!(heir, Ok(users([1, 2])));
    assert_eq!(loads(&on.asked()), BTreeMap::from([(1, 2), (2, 2)]));
}

/// In one process, 50 times: batches whose ids overlap, in opposite order.
async fn overlapping_batches_load_each_id_once(on: Source) {
    let on = Arc::new(on);
    for round in 0..50 {
        let from = round * 100;
        let up: Vec<u64> = (from..from + 60).collect();
        let down: Vec<u64> = (from + 20..from + 80).rev().collect();
        let calls = [up.clone(), down.clone(), down, up].map(|ids| {
            let on = Arc::clone(&on);
            tokio::spawn(async move { on.find_many(&ids).await == Ok(users(ids)) })
        });
        for call in calls {
            assert!(timeout(SOON, call).await.expect("no deadlock").unwrap());
        }
        on.cache.flush().await;
        assert_eq!(loads(&on.asked()), once(from..from + 80));
    }
}

/// Each holds what another one waits for, until all of them load.
async fn batches_that_hold_what_the_other_waits_for(on: Source) {
    on.close();
    let third = async {
        on.loading(2).await;
        let opens = async {
            on.loading(3).await;
            on.open();
        };
        tokio::join!(on.find_many(&[2, 3, 1]), opens).0
    };
    let second = async {
        on.loading(1).await;
        tokio::join!(on.find_many(&[1, 2]), third)
    };
    let all = async { tokio::join!(on.find(1), second) };
    let (first, (second, third)) = timeout(SOON, all).await.expect("no deadlock");
    assert_eq!((first, second, third), (Ok(Some(user(1))), Ok(users([1, 2])), Ok(users([1, 2, 3]))));
    assert_eq!(on.asked(), [[1], [2], [3]]);
}

async fn a_body_that_asks_for_its_own_ids(on: Source) {
    let found = timeout(SOON, on.asks_back(&[1, 2, 3])).await.expect("no deadlock");
    assert_eq!(found, Ok(users([1, 2, 3])));
    assert_eq!(on.stats("find").misses[&cached_core::MissReason::SelfCall], 3);
    on.cache.flush().await;
    let found = timeout(SOON, on.asks_batch(10)).await.expect("no deadlock");
    assert_eq!(found, Ok(Some(user(10))));
    assert_eq!(on.stats("find_many").misses[&cached_core::MissReason::SelfCall], 1);
    on.cache.flush().await;
    assert_eq!(on.find_many(&[1, 2, 3, 10, 11]).await, Ok(users([1, 2, 3, 10, 11])));
    assert_eq!(on.asked(), [vec![1], vec![2], vec![3], vec![10, 11]]);
}

/// 200 batches of 50 ids out of 100 at once.
async fn a_stampede_of_batches(on: Source) {
    let on = Arc::new(on);
    let calls: Vec<_> = (0..200_u64)
        .map(|n| {
            let on = Arc::clone(&on);
            tokio::spawn(async move {
                let ids: Vec<u64> = (0..50).map(|i| (n * 7 + i * 3) % 100).collect();
                assert_eq!(on.find_many(&ids).await, Ok(users(ids)));
            })
        })
        .collect();
    for call in calls {
        timeout(2 * SOON, call).await.expect("no deadlock").unwrap();
    }
    assert_eq!(loads(&on.asked()), once(0..100));
}

on_both!(
    a_single_call_waits_for_a_batch,
    a_batch_waits_for_a_single_call_and_loads_the_rest_meanwhile,
    what_a_failed_load_does_not_bring_is_loaded_by_a_second_run,
    a_batch_that_is_given_up_hands_over,
    overlapping_batches_load_each_id_once,
    batches_that_hold_what_the_other_waits_for,
    a_body_that_asks_for_its_own_ids,
    a_stampede_of_batches,
);

/// A batch leads the wait for an id that another process loads. Its followers do not wait for the batch's own load as
/// well.
#[tokio::test]
async fn callers_that_wait_for_another_id_do_not_wait_for_the_load() {
    let on = Source::redis();
    // Stands for another process.
    let elsewhere =
        Source::of(Cache::builder().namespace("cache").redis(on.server().url()).budget(SOON).build().unwrap());
    on.close();
    elsewhere.close();
    let follower = async {
        on.loading(1).await;
        let follower = on.find(2);
        elsewhere.open();
        let found = timeout(SOON, follower).await.expect("the batch is still loading the other id");
        on.open();
        found
    };
    let batch = async {
        elsewhere.loading(1).await;
        tokio::join!(on.find_many(&[1, 2]), follower)
    };
    let (there, (many, one)) = tokio::join!(elsewhere.find(2), batch);
    assert_eq!((there, many, one), (Ok(Some(user(2))), Ok(users([1, 2])), Ok(Some(user(2)))));
    assert_eq!((on.asked(), elsewhere.asked()), (vec![vec![1]], vec![vec![2]]));
}
