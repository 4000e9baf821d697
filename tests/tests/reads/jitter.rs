//! Jitter wherever it is used: to both sides of a class or a duration, and only to the shorter side of a time for one
//! call or value.
//!
//! Each place stores so many values that chance alone would have to draw the same side sixty-four times.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, redis_cached, redis_put};
use std::collections::HashMap;
use std::time::Duration;
use tests::{RedisServer, patient_cache};

const VALUES: u64 = 64;
const TIME: Duration = Duration::from_secs(10_000);

/// How many of the keys under this name live longer than they should, and how many live at least a hundredth less. Less
/// than a hundredth passes between storing and asking.
async fn spread(server: &RedisServer, name: &str, time: Duration) -> (usize, usize) {
    let mut lives = Vec::new();
    for id in 0..VALUES {
        let key = format!("cache:k:{name}:{id}");
        let life: i64 = server.send(&[b"PTTL", key.as_bytes()]).await;
        lives.push(Duration::from_millis(u64::try_from(life).expect("it is stored, and not for ever")));
    }
    let (longer, shorter) = (time, time.mul_f64(0.99));
    (lives.iter().filter(|life| **life > longer).count(), lives.iter().filter(|life| **life < shorter).count())
}

async fn is_spread_to_both_sides(server: &RedisServer, name: &str, time: Duration) {
    let (longer, shorter) = spread(server, name, time).await;
    assert!(longer > 0 && shorter > 0, "{name}: {longer} longer, {shorter} shorter");
}

async fn is_only_shortened(server: &RedisServer, name: &str) {
    let (longer, shorter) = spread(server, name, TIME).await;
    assert!(longer == 0 && shorter > 0, "{name}: {longer} longer, {shorter} shorter");
}

#[redis_cached(key = "written:<id>", ttl = "10000s", none_ttl = "20000s", skip(is_there))]
async fn written(id: u64, is_there: bool) -> Option<u64> {
    is_there.then_some(id)
}

#[redis_cached(key = "class:<id>", ttl = "long")]
async fn class(id: u64) -> u64 {
    id
}

#[redis_cached(key = "expression:<id>", ttl = expires_in, skip(expires_in))]
async fn expression(id: u64, expires_in: Duration) -> u64 {
    id
}

#[redis_cached(key = "closure:<id>", ttl = |_: &u64| TIME)]
async fn closure(id: u64) -> u64 {
    id
}

#[redis_cached(key = "stale:<id>", ttl = |_: &u64| TIME, stale_if_error = "1ms")]
async fn stale(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[redis_cached(key = "batch:<id>", batch = ids, ttl = |_: &u64| TIME)]
async fn batch(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[redis_put(key = "put:<id>", ttl = |_: &u64| TIME)]
async fn put(id: u64) -> u64 {
    id
}

#[redis_put(key = "put_written:<id>", ttl = "10000s")]
async fn put_written(id: u64) -> u64 {
    id
}

async fn stored(cache: &Cache) {
    let ids: Vec<u64> = (0..VALUES).collect();
    for id in &ids {
        written(*id, true).await;
        class(*id).await;
        expression(*id, TIME).await;
        closure(*id).await;
        stale(*id).await.unwrap();
        put(*id).await;
        put_written(*id).await;
        cache.entry(format!("get_or_load:{id}")).ttl(TIME).get_or_load(|| async { Ok::<u64, ()>(1) }).await.unwrap();
        cache.entry(format!("set:{id}")).ttl(TIME).set(&1_u64).await.unwrap();
        cache.entry(format!("set_class:{id}")).set(&1_u64).await.unwrap();
    }
    batch(&ids).await;
    let keys: Vec<String> = ids.iter().map(|id| format!("many:{id}")).collect();
    let load = |keys: Vec<String>| async { Ok::<_, ()>(keys.into_iter().map(|key| (key, 1_u64)).collect()) };
    cache.entries(&keys, String::clone).ttl(TIME).get_or_load(load).await.unwrap();
    cache.flush().await;
}

#[tokio::test]
async fn the_time_of_a_call_or_a_value_is_never_exceeded() {
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    cache.scope(stored(&cache)).await;
    for name in ["expression", "closure", "stale", "batch", "put", "get_or_load", "set", "many"] {
        is_only_shortened(&server, name).await;
    }
    is_spread_to_both_sides(&server, "written", TIME).await;
    is_spread_to_both_sides(&server, "put_written", TIME).await;
    is_spread_to_both_sides(&server, "class", Duration::from_secs(6 * 3_600)).await;
    is_spread_to_both_sides(&server, "set_class", Duration::from_secs(600)).await;
}

#[tokio::test]
async fn the_time_of_a_none_is_written_in_the_attribute() {
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    cache
        .scope(async {
            for id in 0..VALUES {
                written(id, false).await;
            }
        })
        .await;
    cache.flush().await;
    is_spread_to_both_sides(&server, "written", 2 * TIME).await;
}
