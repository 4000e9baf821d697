//! Writes over many: `for` in an attribute, and lists by hand.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, CacheError, CacheEvent, Invalidation, Outcome, redis_invalidate};
use std::time::Duration;
use tests::{RedisServer, patient_cache};

#[derive(CacheEvent)]
#[event(by(tenant))]
struct UserUpdated {
    tenant: u64,
    id: u64,
}

#[derive(Debug, Clone)]
struct User {
    id: u64,
}

fn users(ids: impl IntoIterator<Item = u64>) -> Vec<User> {
    ids.into_iter().map(|id| User { id }).collect()
}

#[derive(Debug, PartialEq)]
struct Refused;

impl From<CacheError> for Refused {
    fn from(_: CacheError) -> Self {
        Self
    }
}

#[redis_invalidate(
    for user in users { UserUpdated { tenant, id: user.id }, key = "key:<user.id>", tag = "tag:<user.id>" },
    cache = cache
)]
async fn save_all(cache: &Cache, tenant: u64, users: &[User], body: impl Future) {
    let _ = (tenant, users);
    body.await;
}

#[redis_invalidate(
    for user in users { key = "key:<user.id>" },
    on_unavailable = "fail",
    cache = cache
)]
async fn save_or_fail(cache: &Cache, users: Vec<User>) -> Result<usize, Refused> {
    Ok(users.len())
}

#[redis_invalidate(
    for user in ret { UserUpdated { tenant, id: user.id }, key = "<kind>:<user.id>", tag = "tag:<user.id>" },
    tag = "tag:4",
    mode = "after",
    cache = cache
)]
async fn import(cache: &Cache, tenant: u64, kind: String, found: Option<Vec<User>>) -> Result<Vec<User>, String> {
    found.ok_or(kind)
}

const KINDS: [&str; 3] = ["key", "tag", "event"];

/// Stores three entries for each of some users, one for each way to invalidate it.
async fn plant(cache: &Cache, ids: impl IntoIterator<Item = u64>) {
    for id in ids {
        let entry = |kind: &str| cache.entry(format!("{kind}:{id}"));
        entry("key").set(&id).await.unwrap();
        entry("tag").tag(format!("tag:{id}")).set(&id).await.unwrap();
        entry("event").invalidate_on(&UserUpdated { tenant: 7, id }).set(&id).await.unwrap();
    }
}

/// Which entries of these users are gone.
async fn gone(cache: &Cache, ids: impl IntoIterator<Item = u64>) -> Vec<String> {
    let mut gone = Vec::new();
    for id in ids {
        for kind in KINDS {
            let key = format!("{kind}:{id}");
            if cache.entry(&key).get::<u64>().await.is_none() {
                gone.push(key);
            }
        }
    }
    gone
}

async fn each_item_is_invalidated_before_and_after(cache: Cache) {
    let expected = ["key:1", "tag:1", "event:1", "key:3", "tag:3", "event:3"];
    plant(&cache, 1..=4).await;
    save_all(&cache, 7, &users([1, 3]), async {
        assert_eq!(gone(&cache, 1..=4).await, expected, "before the body");
        for id in [1, 3] {
            let entry = cache.entry(format!("key:{id}"));
            let stored = entry.set(&id).await;
            assert!(matches!(stored, Err(CacheError::Writing)), "user {id} is marked: {stored:?}");
        }
    })
    .await;
    assert_eq!(gone(&cache, 1..=4).await, expected, "after it");
}

#[tokio::test]
async fn each_item_is_invalidated_before_and_after_in_memory() {
    each_item_is_invalidated_before_and_after(Cache::memory()).await;
}

#[tokio::test]
async fn each_item_is_invalidated_before_and_after_on_redis() {
    let server = RedisServer::start();
    each_item_is_invalidated_before_and_after(patient_cache(&server.url())).await;
}

#[tokio::test]
async fn items_of_what_the_function_returned_are_invalidated_after_it() {
    let cache = Cache::memory();
    plant(&cache, 1..=4).await;
    let imported = import(&cache, 7, "key".to_owned(), Some(users([1, 3]))).await;
    assert_eq!(imported.unwrap().len(), 2);
    assert_eq!(gone(&cache, 1..=4).await, ["key:1", "tag:1", "event:1", "key:3", "tag:3", "event:3", "tag:4"]);
    plant(&cache, 1..=4).await;
    assert!(import(&cache, 7, "key".to_owned(), None).await.is_err());
    assert_eq!(gone(&cache, 1..=4).await, ["tag:4"], "what needs the result is left out after a failure");
}

#[tokio::test]
async fn an_empty_list_asks_nothing_of_the_store() {
    let mut server = RedisServer::start();
    let cache = patient_cache(&server.url());
    save_all(&cache, 7, &users([1]), async {}).await;
    let monitor = server.monitor().await;
    save_all(&cache, 7, &[], async {}).await;
    assert_eq!(cache.invalidate(Invalidation::new().keys(Vec::<String>::new())).await, Outcome::Applied);
    let commands = monitor.stop(&server).await;
    assert!(commands.is_empty(), "{commands:#?}");
    server.kill();
    assert_eq!(save_or_fail(&cache, Vec::new()).await, Ok(0), "nothing has to be there for nothing");
    assert_eq!(save_or_fail(&cache, users([1])).await, Err(Refused));
}

#[tokio::test]
async fn lists_by_hand_are_one_bracket() {
    let cache = Cache::memory();
    plant(&cache, 1..=4).await;
    let what = Invalidation::new()
        .keys([1, 2].map(|id| format!("key:{id}")))
        .tags(["tag:2", "tag:3"])
        .events([3, 4].map(|id| UserUpdated { tenant: 7, id }));
    let ((), outcome) = cache.write(what, async {}).await;
    assert_eq!(outcome, Outcome::Applied);
    assert_eq!(gone(&cache, 1..=4).await, ["key:1", "key:2", "tag:2", "tag:3", "event:3", "event:4"]);
}

/// How often the server has carried out a command.
async fn calls(server: &RedisServer, command: &str) -> u64 {
    let stats: String = server.send(&[b"INFO", b"commandstats"]).await;
    let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.and_then(|line| line.split(',').next()).map_or(0, |calls| calls.parse().unwrap())
}

#[tokio::test]
async fn ten_thousand_items_are_written_in_parts_and_all_are_marked_before_the_body() {
    const MANY: u64 = 10_000;
    const AT_ONCE: u64 = 200;
    let server = RedisServer::start();
    let cache = Cache::builder().redis(server.url()).namespace("cache").budget(Duration::from_secs(60));
    let cache = cache.write_marker_ttl(Duration::from_secs(600)).build().unwrap();
    let ends = [1, MANY / 2, MANY];
    // Entries whose tag or event is invalidated stay where they are, and are not valid.
    let stale = 2 * ends.len() as u64;
    plant(&cache, ends).await;
    save_all(&cache, 7, &users([0]), async {}).await;
    let before = calls(&server, "evalsha").await;
    save_all(&cache, 7, &users(1..=MANY), async {
        let marked: u64 = server.send(&[b"DBSIZE"]).await;
        // The markers of each user's key, tag and event; of all events, those of the tenant, and all tags.
        assert_eq!(marked, 3 * MANY + 3 + stale, "nothing but markers is left");
    })
    .await;
    let parts = (3 * MANY + 3).div_ceil(AT_ONCE);
    assert_eq!(calls(&server, "evalsha").await - before, 2 * parts);
    assert_eq!(gone(&cache, ends).await.len(), 3 * ends.len());
    assert_eq!(server.send::<u64>(&[b"DBSIZE"]).await, stale, "the markers have gone, too");

    plant(&cache, ends).await;
    let before = calls(&server, "unlink").await;
    let what = Invalidation::new().events((1..=MANY).map(|id| UserUpdated { tenant: 7, id }));
    assert_eq!(cache.invalidate(what).await, Outcome::Applied);
    assert_eq!(calls(&server, "unlink").await - before, (MANY + 3).div_ceil(AT_ONCE));
    assert_eq!(gone(&cache, ends).await, ends.map(|id| format!("event:{id}")));
}
