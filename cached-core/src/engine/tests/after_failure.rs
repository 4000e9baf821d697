//! Bounds on the loads of calls that have no value to wait for.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;

const LOAD: Duration = ms(50);

/// Counts the loads that run.
#[derive(Debug, Default)]
struct Running {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Subject {
    /// Starts `count` calls for "k" whose loads count themselves while they run.
    async fn callers(&self, count: u64) -> (JoinSet<Result<u64, ()>>, Arc<Running>) {
        let (mut calls, running) = (JoinSet::new(), Arc::<Running>::default());
        for value in 0..count {
            let (cache, running) = (self.cache.clone(), Arc::clone(&running));
            let load = move || async move {
                running.most.fetch_max(running.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                sleep(LOAD).await;
                running.now.fetch_sub(1, Ordering::SeqCst);
                Ok(value)
            };
            calls.spawn(async move { cache.entry("k").get_or_load(load).await });
        }
        tasks().await;
        (calls, running)
    }
}

fn most(running: &Running) -> usize {
    running.most.load(Ordering::SeqCst)
}

/// The store works, so they may be more than without it.
#[tokio::test(start_paused = true)]
async fn followers_of_a_load_that_failed_have_a_bound_of_their_own() {
    let on = Subject::with(|builder| builder.load_limit(1));
    let leader = on.calling(Err(()), LOAD).await;
    let (calls, running) = on.callers(300).await;
    let (_, took) = timed(calls.join_all()).await;
    assert_eq!(leader.await.unwrap(), Err(()));
    assert_eq!((most(&running), took), (256, 3 * LOAD), "the failed one, and two rounds");
    assert_eq!(on.stats().misses[&MissReason::LoadFailed], 300);
}

/// Their own reads were not answered, and another call's step is under way.
#[tokio::test(start_paused = true)]
async fn calls_that_do_not_wait_for_anothers_store_step_are_bounded_as_without_the_store() {
    let on = Subject::with(|builder| builder.load_limit(2));
    on.store.plan(Step::Get, vec![Act::Silent; 6]);
    on.store.plan(Step::Acquire, [Act::Late(ms(95))]);
    let (calls, running) = on.callers(6).await;
    sleep(ms(50)).await;
    let leader = on.calling(Ok(1), AT_ONCE).await;
    let (_, took) = timed(calls.join_all()).await;
    assert_eq!((most(&running), took), (2, ms(50) + 3 * LOAD), "from when their budget is used up");
    leader.await.unwrap().unwrap();
}
