//! The commands that annotated functions send: hits with tags, brackets, puts, events.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, CacheEvent, Invalidation, Outcome, redis_cached, redis_invalidate, redis_put};
use tests::RedisServer;

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

/// A connected cache whose scripts the server knows.
async fn warm(server: &RedisServer) -> Cache {
    let cache = Cache::connect("cache", server.url()).await.unwrap();
    for id in 0..2 {
        item(&cache, id).await;
        cache.flush().await;
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
    // Lines that begin like this are commands inside scripts.
    commands.iter().filter(|line| !line.contains("lua]")).map(name).collect()
}

#[tokio::test]
async fn a_hit_with_tags_is_one_command() {
    let server = RedisServer::start();
    let cache = warm(&server).await;
    item(&cache, 7).await;
    cache.flush().await;
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
