//! Start-up reports everything that is wrong, with the places. (This is a program of its own: its functions are wrong
//! on purpose, and would fail the start-up of all other tests.)

use cached_core::store::MemoryStore;
use cached_core::{BuildError, Cache, Clock, Codec, redis_cached};
use std::sync::Arc;
use std::time::Duration;

#[redis_cached(key = "startup:<id>", ttl = "medum")]
async fn misspelt_class(id: u64) -> u64 {
    id
}

#[redis_cached(key = "startup-none:<id>", none_ttl = "brief")]
async fn misspelt_none_class(id: u64) -> Option<u64> {
    Some(id)
}

#[redis_cached(key = "user:<id>")]
async fn user_name(id: u64) -> Result<String, String> {
    Ok(format!("user {id}"))
}

#[redis_cached(key = "user:<user>")]
async fn user_age(user: u64) -> Result<u8, String> {
    u8::try_from(user).map_err(|error| error.to_string())
}

#[redis_cached(key = "user:<id>")]
async fn user_name_if_any(id: u64) -> Option<String> {
    user_name(id).await.ok()
}

#[redis_cached(key = "own:<id>", ttl = "its-own", cache = cache, skip(cache))]
async fn of_another_cache(cache: &Cache, id: u64) -> u64 {
    id
}

#[test]
fn every_offending_site_is_listed() {
    let error = Cache::builder().build().expect_err("the functions above");
    let text = error.to_string();
    let BuildError::Sites(problems) = error else { panic!("{text}") };
    assert_eq!(problems.len(), 4, "{text}");
    for said in [
        "`misspelt_class`: no TTL class \"medum\"",
        "there are \"long\", \"medium\", \"short\"",
        "`misspelt_none_class`: no TTL class \"brief\"",
        "`user_name` and",
        "`user_age` both store under \"user:<id>\"",
        "tests/startup.rs:",
    ] {
        assert!(text.contains(said), "{said:?} is not in\n{text}");
    }
}

#[tokio::test]
async fn wrong_sites_still_work_without_the_check() {
    let lenient = Cache::builder().check_sites(false).build().unwrap();
    for cache in [lenient, Cache::memory()] {
        cache
            .scope(async {
                assert_eq!(misspelt_class(1).await, 1);
                assert_eq!(misspelt_none_class(1).await, Some(1));
                // Two types under one key: each is right, at the cost of misses.
                assert_eq!(user_name(7).await.as_deref(), Ok("user 7"));
                cache.flush().await;
                assert_eq!(user_age(7).await, Ok(7));
                cache.flush().await;
                assert_eq!(user_name(7).await.as_deref(), Ok("user 7"));
                cache.flush().await;
                // One type under one key: the entry is shared.
                assert_eq!(user_name_if_any(7).await.as_deref(), Some("user 7"));
            })
            .await;
        let stats = cache.stats();
        assert_eq!(stats.site("user_age").unwrap().misses[&cached_core::MissReason::Type], 1);
        assert_eq!(stats.site("user_name_if_any").unwrap().hits, 1);
        assert_eq!(of_another_cache(&cache, 3).await, 3);
    }
}

#[test]
fn a_builder_error_names_the_field() {
    let second = Duration::from_secs(1);
    let b = || Cache::builder().check_sites(false);
    let memory = || Arc::new(MemoryStore::new(1 << 20, Clock::system()));
    for (builder, field, said) in [
        (b().namespace(""), "namespace", "it is empty"),
        (b().namespace("a:b"), "namespace", "a:b"),
        (b().namespace("x".repeat(65)), "namespace", "64"),
        (b().budget(Duration::ZERO), "budget", "0ns"),
        (b().budget(3600 * second), "budget", "3600s"),
        (b().lease_ttl(Duration::from_millis(1)), "lease_ttl", "1ms"),
        (b().lease_ttl(86_400 * second), "lease_ttl", "86400s"),
        (b().max_wait(Duration::ZERO), "max_wait", "0ns"),
        (b().ttl_class("never", Duration::ZERO), "ttl_class", "\"never\""),
        (b().ttl_class("ever", Duration::MAX), "ttl_class", "\"ever\""),
        (b().jitter(1.0), "jitter", "1"),
        (b().jitter(-0.1), "jitter", "-0.1"),
        (b().jitter(f64::NAN), "jitter", "NaN"),
        (b().max_value_bytes(0), "max_value_bytes", "0"),
        (b().memory_capacity(1), "memory_capacity", "1 bytes"),
        (b().namespace("shop").redis("redis://h/").memory_capacity(1 << 20), "memory_capacity", "`redis`"),
        (b().memory_capacity(1 << 20).namespace("shop").store(memory()), "memory_capacity", "`store`"),
        (b().namespace("shop").redis("redis://h/").store(memory()), "store", "`redis` and `store`"),
        (b().write_marker_ttl(Duration::ZERO), "write_marker_ttl", "0ns"),
        (b().refresh_cooldown(Duration::ZERO), "refresh_cooldown", "0ns"),
        (b().near_heartbeat(Duration::ZERO), "near_heartbeat", "0ns"),
        (b().near_ttl(Duration::ZERO), "near_ttl", "0ns"),
        (b().near_capacity(1), "near_capacity", "1 bytes"),
        (b().load_limit(0), "load_limit", "0"),
        (b().namespace("shop").redis("localhost:6379"), "redis", "redis://"),
    ] {
        let error = builder.build().expect_err(field);
        let text = error.to_string();
        assert!(matches!(error, BuildError::Field { field: named, .. } if named == field), "{field}: {text}");
        assert!(text.starts_with(field) && text.contains(said), "{said:?} is not in {text:?}");
    }
    assert!(b().codec(Codec::Postcard).compress_above(100).build().is_ok());
}
