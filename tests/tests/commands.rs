//! What writes and tags cost: the commands that a server is sent.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, CacheEvent, Invalidation, Options, Outcome, redis_cached, redis_invalidate, redis_put};
use std::time::{Duration, Instant};
use tests::{RedisServer, eventually};

#[derive(CacheEvent)]
struct ItemChanged {
    id: u64,
}

#[redis_cached(key = "item:<id>", invalidate_on = ItemChanged { id }, tags = "items", skip(cache), cache = cache)]
async fn item(cache: &Cache, id: u64) -> u64 {
    id
}

#[redis_invalidate(ItemChanged { id }, key = "list", tag = "other", cache = cache)]
async fn change(cache: &Cache, id: u64) -> u64 {
    id
}

#[redis_invalidate(ItemChanged { id: *ret }, mode = "after", cache = cache)]
async fn add(cache: &Cache, id: u64) -> u64 {
    id
}

#[redis_put(key = "item:<id>", ItemChanged { id }, invalidate_on = ItemChanged { id }, tags = "items", cache = cache)]
async fn put(cache: &Cache, id: u64) -> u64 {
    id
}

/// A cache whose scripts the server knows, and that is connected.
async fn warm(server: &RedisServer) -> Cache {
    let cache = Cache::connect(server.url()).await.unwrap();
    for id in 0..2 {
        item(&cache, id).await;
        cache.settled().await;
        change(&cache, id).await;
        put(&cache, id).await;
        add(&cache, id).await;
    }
    cache
}

/// The names of the commands that a call sends.
async fn sent(server: &RedisServer, call: impl Future) -> Vec<String> {
    let monitor = server.monitor().await;
    call.await;
    let commands = monitor.stop(server).await;
    let name = |line: &String| line.split('"').nth(1).map(str::to_uppercase).unwrap_or_default();
    // Lines that begin in this way are commands inside of scripts.
    commands.iter().filter(|line| !line.contains("lua]")).map(name).collect()
}

#[tokio::test]
async fn a_hit_with_tags_is_one_command() {
    let server = RedisServer::start();
    let cache = warm(&server).await;
    item(&cache, 7).await;
    cache.settled().await;
    assert_eq!(sent(&server, item(&cache, 7)).await, ["MGET"]);
}

#[tokio::test]
async fn a_bracket_is_one_command_before_and_one_after() {
    let server = RedisServer::start();
    let cache = warm(&server).await;
    assert_eq!(sent(&server, change(&cache, 7)).await, ["EVALSHA", "EVALSHA"], "an event, a key and a tag at once");
    assert_eq!(sent(&server, put(&cache, 7)).await, ["EVALSHA", "EVALSHA", "EVALSHA"], "TAG side by side with BEGIN");
    assert_eq!(sent(&server, add(&cache, 7)).await, ["UNLINK"]);
    let write = cache.write(Invalidation::new().key("a").key("b").tag("c"), async {});
    assert_eq!(sent(&server, write).await, ["EVALSHA", "EVALSHA"]);
}

#[tokio::test]
async fn an_event_is_emitted_by_one_command() {
    let server = RedisServer::start();
    let cache = warm(&server).await;
    let emitted = async { assert_eq!(cache.emit(&ItemChanged { id: 7 }).await, Outcome::Applied) };
    assert_eq!(sent(&server, emitted).await, ["UNLINK"]);
}

/// The command is the same whatever the number of entries, so no clock is needed to tell that it takes no longer. What it
/// does take is printed.
#[tokio::test]
async fn a_tag_is_invalidated_at_once_whatever_the_number_of_entries() {
    let server = RedisServer::start();
    let cache = warm(&server).await;
    let mut commands = Vec::new();
    for entries in [1_u64, 1_000, 100_000] {
        let tag = format!("of-{entries}");
        let mut filling = tokio::task::JoinSet::new();
        for task in 0..32 {
            let (cache, tag) = (cache.clone(), tag.clone());
            filling.spawn(async move {
                for id in (task..entries).step_by(32) {
                    let load = async || Ok::<_, ()>(id);
                    let options = Options::new().tag(tag.as_str());
                    assert_eq!(cache.get_or_set(format!("{tag}:{id}"), options, load).await, Ok(id));
                }
            });
        }
        filling.join_all().await;
        cache.settled().await;
        let last = format!("{tag}:{}", entries - 1);
        assert!(cache.get::<u64>(&last).await.is_some());

        let monitor = server.monitor().await;
        let began = Instant::now();
        assert_eq!(cache.invalidate(Invalidation::new().tag(tag.as_str())).await, Outcome::Applied);
        println!("{entries} entries: {:?}", began.elapsed());
        let sent = monitor.stop(&server).await;
        let words = |line: &String| line.matches('"').count() / 2;
        commands.push(sent.iter().map(words).collect::<Vec<_>>());
        assert_eq!(cache.get::<u64>(&last).await, None);
    }
    assert_eq!(commands, [[3], [3], [3]], "UNLINK, the tag, and the register of all tags");
}

/// A write that is not acknowledged in time costs its caller the budget and no more, and is applied when the server can.
#[tokio::test]
async fn a_frozen_server_costs_a_write_one_budget() {
    let server = RedisServer::start();
    let cache = warm(&server).await;
    server.freeze();
    let began = Instant::now();
    let ((), outcome) = cache.write(Invalidation::new().key("a"), async {}).await;
    let took = began.elapsed();
    assert_eq!(outcome, Outcome::Queued);
    assert!(took < Duration::from_millis(150), "{took:?}: the budget is 100 ms, and a tenth for the end");
    assert!(cache.try_write(Invalidation::new().key("a"), async { panic!("it is refused") }).await.is_err());
    assert_eq!(cache.invalidate(Invalidation::new().key("b")).await, Outcome::Queued);
    assert_eq!(cache.stats().pending, 2);
    server.thaw();
    assert!(cache.drained(Duration::from_secs(10)).await);
    eventually("the breaker closes", async || cache.invalidate(Invalidation::new().key("a")).await == Outcome::Applied)
        .await;
}
