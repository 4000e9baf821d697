//! Entries on a real server, as another cache sees them, which stands for another process.

use super::{Runs, User, user};
use cached_core::{Cache, Entry, Outcome, entries, entry, redis_cached};
use std::collections::HashMap;
use tests::{RedisServer, eventually};

#[redis_cached(key = "served:<name>", skip(runs), ttl = "5m", jitter = 0.0)]
async fn find(runs: &Runs, name: &str) -> Result<Option<User>, String> {
    runs.one();
    Ok(Some(user(1, name)))
}

#[redis_cached(key = "kept:<id>", skip(runs), local = "30s")]
async fn kept(runs: &Runs, id: u64) -> u64 {
    runs.one();
    id
}

#[redis_cached(key = "each:<id>", skip(runs), batch = ids)]
async fn each(runs: &Runs, ids: &[u64]) -> HashMap<u64, u64> {
    runs.one();
    ids.iter().map(|id| (*id, *id)).collect()
}

async fn two_caches(server: &RedisServer) -> (Cache, Cache) {
    (Cache::connect("cache", server.url()).await.unwrap(), Cache::connect("cache", server.url()).await.unwrap())
}

#[tokio::test]
async fn set_values_are_served_to_others_and_invalidated_ones_are_not() {
    let server = RedisServer::start();
    let (here, there) = two_caches(&server).await;
    for name in ["ada", "42", "a:b", "{x}"] {
        let runs = Runs::default();
        let entry = here.scope(async { entry!(find(&runs, name)).unwrap() }).await;
        entry.set(&user(7, "set")).await.unwrap();
        let left: i64 = server.send(&[b"PTTL", entry.redis_key().as_bytes()]).await;
        assert!(
            (290_000..=300_000).contains(&left),
            "the key is the one in the store, and lives as long as it should: {left}"
        );
        assert_eq!(there.scope(find(&runs, name)).await, Ok(Some(user(7, "set"))));
        assert_eq!(runs.so_far(), 0);

        assert_eq!(entry.invalidate().await, Outcome::Applied);
        assert_eq!(there.scope(find(&runs, name)).await, Ok(Some(user(1, name))));
        assert_eq!(runs.so_far(), 1);
        there.flush().await;
        assert_eq!(entry.get().await, Some(user(1, name)), "what another cache has loaded");
        entry.remove().await.unwrap();
        let exists: u64 = server.send(&[b"EXISTS", entry.redis_key().as_bytes()]).await;
        assert_eq!(exists, 0);
    }
}

#[tokio::test]
async fn what_another_process_keeps_near_ends_with_the_entry() {
    let server = RedisServer::start();
    let (here, there) = two_caches(&server).await;
    let runs = Runs::default();
    let entry = here.scope(async { entry!(kept(&runs, 7)).unwrap() }).await;
    entry.set(&8).await.unwrap();
    eventually("it is kept near", async || {
        assert_eq!(there.scope(kept(&runs, 7)).await, 8);
        there.stats().site("kept").unwrap().near_hits > 0
    })
    .await;
    entry.set(&9).await.unwrap();
    eventually("the other one hears of what was set", async || there.scope(kept(&runs, 7)).await == 9).await;
    assert_eq!(runs.so_far(), 0);
    assert_eq!(entry.invalidate().await, Outcome::Applied);
    eventually("the other one loads", async || there.scope(kept(&runs, 7)).await == 7).await;
    assert_eq!(runs.so_far(), 1);
}

#[tokio::test]
async fn an_invalidation_ends_a_load_that_is_under_way_elsewhere() {
    let server = RedisServer::start();
    let (here, there) = two_caches(&server).await;
    let runs = Runs::default();
    let entry: Entry<User> = here.scope(async { entry!(find(&runs, "overtaken")).unwrap() }).await;
    let load = there.entry("served:overtaken").get_or_load(|| async {
        assert_eq!(entry.invalidate().await, Outcome::Applied);
        Ok::<_, String>(7_u64)
    });
    assert_eq!(load.await, Ok(7));
    there.flush().await;
    let exists: u64 = server.send(&[b"EXISTS", entry.redis_key().as_bytes()]).await;
    assert_eq!(exists, 0, "it was not stored");
}

#[tokio::test]
async fn the_entries_of_a_batch() {
    let server = RedisServer::start();
    let (here, there) = two_caches(&server).await;
    let runs = Runs::default();
    let entries = here.scope(async { entries!(each(&runs, &[1, 2, 3])).unwrap() }).await;
    for (entry, value) in entries.iter().zip([10, 20, 30]) {
        entry.set(&value).await.unwrap();
    }
    let expected = HashMap::from([(1, 10), (2, 20), (3, 30)]);
    assert_eq!((there.scope(each(&runs, &[1, 2, 3])).await, runs.so_far()), (expected, 0));
    assert_eq!(entries[1].invalidate().await, Outcome::Applied);
    let expected = HashMap::from([(1, 10), (2, 2), (3, 30)]);
    assert_eq!((there.scope(each(&runs, &[1, 2, 3])).await, runs.so_far()), (expected, 1));
}

#[tokio::test]
async fn without_the_server_an_entry_says_so() {
    let server = RedisServer::start();
    let (here, _) = two_caches(&server).await;
    let runs = Runs::default();
    drop(server);
    let entry = here.scope(async { entry!(find(&runs, "ada")).unwrap() }).await;
    assert!(entry.set(&user(7, "set")).await.is_err() && entry.remove().await.is_err());
    assert_eq!((entry.get().await, entry.invalidate().await), (None, Outcome::Queued));
}

#[tokio::test]
async fn an_invalidation_ends_the_entry_of_another_build_as_well() {
    let server = RedisServer::start();
    let build = |version| Cache::builder().namespace("cache").redis(server.url()).version(version).build().unwrap();
    let (old, new) = (build(1), build(2));
    let runs = Runs::default();
    let of = async |cache: &Cache| cache.scope(async { entry!(find(&runs, "ada")).unwrap() }).await;
    let (of_old, of_new) = (of(&old).await, of(&new).await);
    assert_eq!(of_old.key(), of_new.key());
    of_old.set(&user(7, "old")).await.unwrap();
    assert_eq!(new.scope(find(&runs, "ada")).await, Ok(Some(user(1, "ada"))));
    new.flush().await;
    assert_eq!((of_old.get().await, of_new.get().await), (Some(user(7, "old")), Some(user(1, "ada"))), "side by side");
    assert_eq!(of_old.invalidate().await, Outcome::Applied);
    assert_eq!((of_old.get().await, of_new.get().await), (None, None));
}
