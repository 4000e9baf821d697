//! Redis misbehaves, and the batch does not notice.

use super::source::{Source, user, users};
use cached_core::{Cache, MissReason};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::RedisServer;
use tokio::task::JoinSet;

const BUDGET: Duration = Duration::from_millis(200);
/// The time that timers, 300 ids in a debug build and a busy machine may add.
const SLACK: Duration = Duration::from_millis(300);

fn source(server: &RedisServer) -> Source {
    Source::of(Cache::builder().namespace("cache").redis(server.url()).budget(BUDGET).build().unwrap())
}

fn ids() -> Vec<u64> {
    (0..300).collect()
}

#[tokio::test]
async fn a_server_that_is_down_costs_one_budget_and_one_run() {
    let mut server = RedisServer::start();
    let on = source(&server);
    on.find_many(&[1]).await.unwrap();
    on.asked();
    server.kill();
    for _ in 0..5 {
        let began = Instant::now();
        assert_eq!(on.find_many(&ids()).await, Ok(users(ids())));
        assert!(began.elapsed() < BUDGET + SLACK, "{:?}", began.elapsed());
        assert_eq!(on.asked(), [ids()]);
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_costs_one_budget_and_one_run() {
    let server = RedisServer::start();
    let on = source(&server);
    on.find_many(&[1000, 1001, 1002]).await.unwrap();
    on.cache.flush().await;
    on.asked();
    let _: () = server.send(&[b"CLIENT", b"PAUSE", b"60000", b"ALL"]).await;
    for _ in 0..5 {
        let began = Instant::now();
        assert_eq!(on.find_many(&ids()).await, Ok(users(ids())));
        assert!(began.elapsed() < BUDGET + SLACK, "{:?}", began.elapsed());
        assert_eq!(on.asked(), [ids()]);
    }
}

/// Reads are answered, steps that write are not.
#[tokio::test]
async fn a_server_that_answers_reads_only_costs_one_budget_and_one_run() {
    let server = RedisServer::start();
    let on = source(&server);
    on.find_many(&[1, 2, 1000, 1001, 1002]).await.unwrap();
    on.cache.flush().await;
    on.asked();
    let _: () = server.send(&[b"CLIENT", b"PAUSE", b"60000", b"WRITE"]).await;
    let began = Instant::now();
    assert_eq!(on.find_many(&ids()).await, Ok(users(ids())));
    assert!(began.elapsed() < BUDGET + SLACK, "{:?}", began.elapsed());
    let missing: Vec<u64> = ids().into_iter().filter(|id| ![1, 2].contains(id)).collect();
    assert_eq!(on.asked(), [missing]);
}

/// Killed while the body runs: the result of the body is returned.
#[tokio::test]
async fn a_server_killed_during_the_load() {
    let mut server = RedisServer::start();
    let on = source(&server);
    on.close();
    let kills = async {
        on.loading(1).await;
        server.kill();
        on.open();
    };
    let (began, ids) = (Instant::now(), ids());
    let (found, ()) = tokio::join!(on.find_many(&ids), kills);
    assert_eq!(found, Ok(users(ids.clone())));
    assert!(began.elapsed() < BUDGET + SLACK, "{:?}", began.elapsed());
    on.cache.flush().await;
    assert_eq!(on.asked(), [ids]);
}

/// Killed while one batch loads and another waits for it.
#[tokio::test]
async fn a_server_killed_while_a_batch_waits() {
    let mut server = RedisServer::start();
    let on = source(&server);
    on.close();
    let waits = async {
        on.loading(1).await;
        let kills = async {
            on.loading(2).await;
            server.kill();
            on.open();
        };
        tokio::join!(on.find_many(&[1, 2, 3, 4]), kills).0
    };
    let (first, second) = tokio::join!(on.find_many(&[1, 2, 3]), waits);
    assert_eq!((first, second), (Ok(users([1, 2, 3])), Ok(users([1, 2, 3, 4]))));
    let asked = on.asked();
    // The first load was not proved current, so the second caller may load for itself.
    assert!(asked.len() <= 3 && asked[..2] == [vec![1, 2, 3], vec![4]], "{asked:?}");
}

/// A batch is one load among the bounded ones, however many ids it has.
#[tokio::test]
async fn without_the_store_a_batch_takes_room_for_one_load() {
    let mut server = RedisServer::start();
    let cache = Cache::builder().namespace("cache").redis(server.url()).budget(BUDGET).load_limit(3).build().unwrap();
    let on = Arc::new(Source::of(cache));
    server.kill();
    for _ in 0..10 {
        on.find_many(&[1]).await.unwrap();
    }
    on.asked();
    on.close();
    let mut calls = JoinSet::new();
    for n in 0..5_u64 {
        let on = Arc::clone(&on);
        calls.spawn(async move {
            let ids: Vec<u64> = (n * 100..n * 100 + 100).collect();
            assert_eq!(on.find_many(&ids).await, Ok(users(ids)));
        });
    }
    on.loading(3).await;
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    let asked = on.asked();
    assert_eq!(asked.len(), 3, "three at once");
    assert!(asked.iter().all(|ids| ids.len() == 100));
    on.open();
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
    assert_eq!(on.asked().len(), 2);
}

#[tokio::test]
async fn damaged_entries_among_good_ones() {
    let on = Source::redis();
    on.find_many(&[1, 2, 3, 4, 5]).await.unwrap();
    on.cache.flush().await;
    on.asked();
    let server = on.server();
    let _: () = server.send(&[b"SET", b"cache:k:user:2", b"damaged"]).await;
    let _: () = server.send(&[b"SETRANGE", b"cache:k:user:3", b"30", b"damaged"]).await;
    let _: () = server.send(&[b"DEL", b"cache:k:user:4"]).await;
    let _: () = server.send(&[b"RPUSH", b"cache:k:user:4", b"a list"]).await;
    assert_eq!(on.find_many(&[1, 2, 3, 4, 5]).await, Ok(users([1, 2, 3, 4, 5])));
    on.cache.flush().await;
    assert_eq!(on.asked(), [[2, 3, 4]]);
    assert_eq!(on.find_many(&[1, 2, 3, 4, 5]).await, Ok(users([1, 2, 3, 4, 5])));
    assert_eq!(on.asked().len(), 0);
    assert_eq!(on.find(4).await, Ok(Some(user(4))));
}

/// A server that takes no more than one key at a time.
#[tokio::test]
async fn a_node_of_a_cluster() {
    let server = RedisServer::cluster_node().await;
    let on = Source::of(
        Cache::builder().namespace("cache").redis(server.url()).budget(Duration::from_secs(5)).build().unwrap(),
    );
    for expected in [1, 0, 0] {
        assert_eq!(on.find_many(&ids()).await, Ok(users(ids())));
        assert_eq!(on.tagged(1, &[1, 2, 3]).await, Ok(users([1, 2, 3])));
        on.cache.flush().await;
        assert_eq!(on.asked().len(), 2 * expected);
    }
    let stats = on.stats("find_many");
    assert_eq!((stats.stored, stats.misses.get(&MissReason::Timeout)), (300, None), "{stats:?}");
}
