//! Which cache a function uses in a task that was spawned.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, MissReason, in_current_scope, redis_cached};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::{JoinSet, LocalSet, spawn_blocking, spawn_local};
use tokio::time::Instant;

#[redis_cached(key = "scoped:<n>")]
async fn scoped(n: u64) -> u64 {
    n + 1
}

fn loads(cache: &Cache) -> u64 {
    cache.stats().site("scoped").unwrap().loads
}

#[tokio::test]
async fn a_task_that_is_only_spawned_does_not_know_the_cache() {
    let cache = Cache::memory();
    cache.scope(async { tokio::spawn(scoped(1)).await.unwrap() }).await;
    assert_eq!(loads(&cache), 0, "it ran without a cache");
}

#[tokio::test]
async fn a_task_takes_the_cache_of_the_scope_along() {
    let cache = Cache::memory();
    let returned = cache.scope(async { tokio::spawn(in_current_scope(scoped(1))).await.unwrap() });
    assert_eq!(returned.await, 2);
    assert_eq!(loads(&cache), 1);
}

#[tokio::test]
async fn a_task_of_a_task_takes_it_along_too() {
    let cache = Cache::memory();
    let tasks = async {
        let inner = async { tokio::spawn(in_current_scope(scoped(1))).await.unwrap() };
        tokio::spawn(in_current_scope(inner)).await.unwrap();
        let inner = async { tokio::spawn(in_current_scope(scoped(2))).await.unwrap() };
        cache.spawn(inner).await.unwrap();
    };
    cache.scope(tasks).await;
    assert_eq!(loads(&cache), 2);
}

#[tokio::test]
async fn every_kind_of_task_can_take_it_along() {
    let cache = Cache::memory();
    let tasks = async {
        let mut set = JoinSet::new();
        (0..3).for_each(|n| drop(set.spawn(in_current_scope(scoped(n)))));
        set.join_all().await;
        LocalSet::new().run_until(async { spawn_local(in_current_scope(scoped(3))).await.unwrap() }).await;
        let (cache, runtime) = (Cache::current().unwrap(), Handle::current());
        spawn_blocking(move || runtime.block_on(cache.scope(scoped(4)))).await.unwrap();
    };
    cache.scope(tasks).await;
    assert_eq!(loads(&cache), 5);
}

#[expect(clippy::async_yields_async, reason = "where the future is made counts, not where it is polled")]
#[tokio::test]
async fn the_scope_is_that_of_the_place_and_not_that_of_the_first_poll() {
    let (here, there) = (Cache::memory(), Cache::memory());
    let future = here.scope(async { in_current_scope(scoped(1)) }).await;
    there.scope(future).await;
    assert_eq!((loads(&here), loads(&there)), (1, 0));

    // Without a scope there is none to keep.
    there.scope(in_current_scope(scoped(2))).await;
    let future = in_current_scope(scoped(3));
    there.scope(future).await;
    assert_eq!((loads(&here), loads(&there)), (1, 2));
}

#[tokio::test]
async fn a_task_of_a_cache_uses_that_one_in_any_scope() {
    let (here, there) = (Cache::memory(), Cache::memory());
    here.scope(async { there.spawn(scoped(1)).await.unwrap() }).await;
    assert_eq!((loads(&here), loads(&there)), (0, 1));
    assert_eq!(there.spawn(scoped(1)).await.unwrap(), 2, "outside of any scope");
}

#[tokio::test]
async fn the_current_cache_is_that_of_the_innermost_scope() {
    let (outer, inner) = (Cache::memory(), Cache::memory());
    let current = async || Cache::current().unwrap().scope(scoped(1)).await;
    outer.scope(async { inner.scope(current()).await }).await;
    assert_eq!((loads(&outer), loads(&inner)), (0, 1));
    outer.scope(current()).await;
    assert_eq!((loads(&outer), loads(&inner)), (1, 1));
}

static IS_BEGUN: AtomicBool = AtomicBool::new(false);

/// Its load calls it again, with the same key, in a task.
#[redis_cached(key = "of-itself")]
async fn of_itself() -> u64 {
    if IS_BEGUN.swap(true, Ordering::SeqCst) {
        return 7;
    }
    tokio::spawn(in_current_scope(again())).await.unwrap()
}

/// A type of its own, because that of a task cannot contain itself.
fn again() -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(of_itself())
}

#[tokio::test(start_paused = true)]
async fn a_task_of_a_load_does_not_wait_for_that_load() {
    let cache = Cache::memory();
    let start = Instant::now();
    assert_eq!(cache.scope(of_itself()).await, 7);
    assert_eq!(start.elapsed(), Duration::ZERO);
    let site = cache.stats().site("of_itself").unwrap().clone();
    assert_eq!(site.misses[&MissReason::SelfCall], 1, "{site:?}");
}
