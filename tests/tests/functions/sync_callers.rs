//! Callers that are not async: on threads with a handle of a runtime, and without any runtime.

use cached_core::{Cache, MissReason, Outcome, redis_cached, redis_invalidate};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use tests::{Log, RedisServer};
use tokio::runtime::{Builder, Handle};
use tracing::Level;

#[redis_cached(key = "sync-callers-double:<n>")]
async fn double(n: u64) -> u64 {
    // The body may use the runtime, too.
    tokio::task::yield_now().await;
    2 * n
}

#[redis_cached(key = "sync-callers-square:<n>")]
async fn square(n: u64) -> u64 {
    n * n
}

#[redis_invalidate(key = "sync-callers-square:<n>")]
async fn square_changed(n: u64) {}

fn on_redis() -> (RedisServer, Cache) {
    let server = RedisServer::start();
    let cache = tests::patient_cache(&server.url());
    (server, cache)
}

/// Polls it once, as an executor other than tokio's does.
fn polled<T>(call: impl Future<Output = T>) -> T {
    let mut call = pin!(call);
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(returned) => returned,
        Poll::Pending => panic!("it waits for something"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_thread_with_a_handle_hits() {
    let (_server, cache) = on_redis();
    let call = |runtime: Handle, cache: Cache| {
        move || {
            let returned = runtime.block_on(cache.scope(double(4)));
            runtime.block_on(cache.flush());
            returned
        }
    };
    for _ in 0..2 {
        let (send, receive) = tokio::sync::oneshot::channel();
        let call = call(Handle::current(), cache.clone());
        thread::spawn(move || send.send(call()));
        assert_eq!(receive.await.unwrap(), 8);
    }
    assert_eq!(tokio::task::spawn_blocking(call(Handle::current(), cache.clone())).await.unwrap(), 8);
    assert_eq!(tokio::task::block_in_place(call(Handle::current(), cache.clone())), 8);
    let stats = cache.stats();
    let site = stats.site("double").unwrap();
    assert_eq!((site.loads, site.hits, site.misses.len()), (1, 3, 1), "{site:?}");
}

#[test]
fn a_program_without_a_runtime_makes_one() {
    let (_server, cache) = on_redis();
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for _ in 0..2 {
        // No thread drives the cache between the calls, other than the runtime's own.
        assert_eq!(runtime.block_on(cache.scope(double(5))), 10);
        runtime.block_on(cache.flush());
    }
    assert_eq!(cache.stats().site("double").unwrap().hits, 1);
}

#[test]
fn without_a_runtime_functions_run_uncached_and_each_says_so_once() {
    let (_server, cache) = on_redis();
    let (log, _listening) = Log::listen(Level::WARN);
    for n in [3, 3, 4] {
        assert_eq!(polled(cache.scope(square(n))), n * n);
    }
    polled(cache.scope(square_changed(3)));
    let lines: Vec<_> = log.take().into_iter().filter(|line| line.contains("no tokio runtime")).collect();
    let of_square: Vec<_> = lines.iter().filter(|line| line.contains("square") && line.contains("uncached")).collect();
    assert_eq!(of_square.len(), 1, "{lines:#?}");
    let stats = cache.stats();
    let site = stats.site("square").unwrap();
    assert_eq!((site.loads, site.bypassed, site.stored), (3, 3, 0), "{site:?}");
    assert_eq!(site.misses[&MissReason::NoRuntime], 3);
    assert_eq!(stats.site("square_changed").unwrap().failed, 1, "{:?}", stats.site("square_changed"));

    let outcome = polled(cache.invalidate(cached_core::Invalidation::new().key("k")));
    assert_eq!(outcome, Outcome::Failed);
    assert_eq!(polled(cache.entry("k").get::<u64>()), None);
    let load = polled(cache.entry("k").get_or_load(async || Ok::<u64, ()>(1)));
    assert_eq!(load, Ok(1));
}
