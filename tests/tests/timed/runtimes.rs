//! Runtimes that share a cache and come and go, as in tests that run side by side: none of them takes the connection,
//! or a probe, away from the others.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{BreakerState, Cache};
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};
use tests::RedisServer;
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// One call with a load that takes no time, and a second one.
async fn two_calls(cache: &Cache, key: &str) {
    let load = async || Ok::<_, ()>(1);
    cache.entry(key).get_or_load(load).await.unwrap();
    cache.flush().await;
    cache.entry(key).get_or_load(load).await.unwrap();
}

fn hits(cache: &Cache) -> u64 {
    cache.stats().site("Cache::entry").map_or(0, |site| site.hits + site.coalesced)
}

#[test]
fn many_short_lived_ones_side_by_side() {
    let server = RedisServer::start();
    let cache = Cache::builder().namespace("cache").redis(server.url()).budget(Duration::from_secs(2)).build().unwrap();
    std::thread::scope(|threads| {
        for thread in 0..4 {
            let cache = &cache;
            threads.spawn(move || {
                for n in 0..50 {
                    runtime().block_on(two_calls(cache, &format!("{thread}:{n}")));
                }
            });
        }
    });
    assert_eq!(cache.stats().breaker, BreakerState::Closed);
    let hits = hits(&cache);
    // A caller whose connection ends at the wrong moment has no lease, and a caller that waits for stores keeps others
    // from storing.
    assert!(hits >= 100, "{hits} hits in 200 runtimes: {:?}", cache.stats());
}

/// The connection was made on a runtime that nobody drives any more, and that has not ended.
#[test]
fn one_that_stands_still() {
    let server = RedisServer::start();
    let cache = Cache::builder().namespace("cache").redis(server.url()).budget(Duration::from_secs(2)).build().unwrap();
    let still: Vec<_> = (0..5).map(|_| runtime()).collect();
    for (n, runtime) in (0..).zip(&still) {
        let before = hits(&cache);
        runtime.block_on(two_calls(&cache, &format!("{n}")));
        assert_eq!(hits(&cache), before + 1, "runtime {n}");
        assert_eq!(cache.stats().breaker, BreakerState::Closed);
    }
}

/// It stands still while it connects.
#[test]
fn one_that_stands_still_before_it_is_connected() {
    let server = RedisServer::start();
    let cache = Cache::builder().namespace("cache").redis(server.url()).budget(Duration::from_secs(2)).build().unwrap();
    let still = runtime();
    still.block_on(async {
        let mut call = Box::pin(cache.entry("k").get::<u8>());
        let once = std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_pending()));
        assert!(once.await, "it is on its way");
    });
    runtime().block_on(two_calls(&cache, "k"));
    assert_eq!((hits(&cache), cache.stats().breaker), (1, BreakerState::Closed));
}

/// After an outage, each runtime lives for one call only, which is shorter than a probe.
#[test]
fn the_end_of_an_outage_is_seen_by_short_lived_ones() {
    let mut server = RedisServer::start();
    let cache = Cache::builder().namespace("cache").redis(server.url()).build().unwrap();
    server.kill();
    let calls = AtomicU64::new(0);
    let call = || {
        let load = async || Ok::<_, ()>(calls.fetch_add(1, Ordering::SeqCst));
        runtime().block_on(async { cache.entry("k").get_or_load(load).await.unwrap() });
    };
    while cache.stats().breaker == BreakerState::Closed {
        call();
    }
    server.restart();
    let begun = Instant::now();
    while cache.stats().breaker != BreakerState::Closed {
        assert!(begun.elapsed() < Duration::from_secs(10), "breaker {}", cache.stats().breaker);
        call();
        std::thread::sleep(Duration::from_millis(5));
    }
}
