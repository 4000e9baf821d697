//! The workloads, over any subject. A subject is chosen at run time, but the workloads are compiled for each, so that
//! only its calls are measured.

use super::Subject;
use crate::random::Random;
use crate::user::{FIRST_ID, loads};
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Tasks that call for some time, over the first keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hits {
    pub(crate) tasks: usize,
    pub(crate) keys: u64,
    pub(crate) time: Duration,
}

/// The result of a stampede.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stampede {
    pub(crate) loads: u64,
    pub(crate) slowest: Duration,
}

/// A subject whose type is erased.
pub(crate) trait Contender: Send + Sync {
    fn name(&self) -> &'static str;

    /// Calls each of the first `keys` keys once, so that they are cached.
    fn prime(&self, keys: u64) -> Boxed<'_, ()>;

    /// Calls answered from the cache, per second.
    fn hits(&self, plan: Hits) -> Boxed<'_, f64>;

    /// One call after another, `calls` in all.
    fn sequence(&self, calls: u64, keys: u64) -> Boxed<'_, ()>;

    /// The time until `keys` cold keys from `first` on are loaded and stored.
    fn fill(&self, first: u64, keys: u64, tasks: usize) -> Boxed<'_, Duration>;

    /// Simultaneous callers of one cold key.
    fn stampede(&self, id: u64, callers: usize) -> Boxed<'_, Stampede>;

    /// How long one call takes.
    fn call(&self, id: u64) -> Boxed<'_, Duration>;
}

impl<S: Subject> Contender for S {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn prime(&self, keys: u64) -> Boxed<'_, ()> {
        Box::pin(async move {
            for id in FIRST_ID..FIRST_ID + keys {
                self.find(id).await;
            }
            self.settled().await;
        })
    }

    fn hits(&self, plan: Hits) -> Boxed<'_, f64> {
        Box::pin(hits(self.clone(), plan))
    }

    fn sequence(&self, calls: u64, keys: u64) -> Boxed<'_, ()> {
        // In a task, because the thread of `block_on` is further from the runtime's IO.
        let subject = self.clone();
        let calling = tokio::spawn(async move {
            for call in 0..calls {
                black_box(subject.find(FIRST_ID + call % keys).await);
            }
        });
        Box::pin(async { calling.await.expect("a caller panicked") })
    }

    fn fill(&self, first: u64, keys: u64, tasks: usize) -> Boxed<'_, Duration> {
        Box::pin(fill(self.clone(), first, keys, tasks))
    }

    fn stampede(&self, id: u64, callers: usize) -> Boxed<'_, Stampede> {
        Box::pin(stampede(self.clone(), id, callers))
    }

    fn call(&self, id: u64) -> Boxed<'_, Duration> {
        let subject = self.clone();
        let calling = tokio::spawn(async move {
            let began = Instant::now();
            black_box(subject.find(id).await);
            began.elapsed()
        });
        Box::pin(async { calling.await.expect("the caller panicked") })
    }
}

async fn hits<S: Subject>(subject: S, plan: Hits) -> f64 {
    let stop = Arc::new(AtomicBool::new(false));
    let loads_before = loads();
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for task in 0..plan.tasks {
        let (subject, stop) = (subject.clone(), Arc::clone(&stop));
        callers.spawn(async move {
            let mut random = Random::new(task as u64);
            let mut calls = 0u64;
            while !stop.load(Ordering::Relaxed) {
                black_box(subject.find(FIRST_ID + random.below(plan.keys)).await);
                calls += 1;
            }
            calls
        });
    }
    // A thread, because a subject that answers from memory never yields to a timer of the runtime.
    std::thread::spawn(move || {
        std::thread::sleep(plan.time);
        stop.store(true, Ordering::Relaxed);
    });
    let calls: u64 = callers.join_all().await.into_iter().sum();
    let elapsed = began.elapsed();
    // Some subjects shed load rather than wait: a call that they did not answer from the cache is no hit.
    let hits = calls.saturating_sub(loads() - loads_before);
    hits as f64 / elapsed.as_secs_f64()
}

async fn fill<S: Subject>(subject: S, first: u64, keys: u64, tasks: usize) -> Duration {
    let next = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..tasks {
        let (subject, next) = (subject.clone(), Arc::clone(&next));
        callers.spawn(async move {
            loop {
                let key = next.fetch_add(1, Ordering::Relaxed);
                if key >= keys {
                    return;
                }
                black_box(subject.find(first + key).await);
            }
        });
    }
    callers.join_all().await;
    subject.settled().await;
    began.elapsed()
}

async fn stampede<S: Subject>(subject: S, id: u64, callers: usize) -> Stampede {
    let start = Arc::new(Barrier::new(callers));
    let loads_before = loads();
    let mut calling = JoinSet::new();
    for _ in 0..callers {
        let (subject, start) = (subject.clone(), Arc::clone(&start));
        calling.spawn(async move {
            start.wait().await;
            let began = Instant::now();
            black_box(subject.find(id).await);
            began.elapsed()
        });
    }
    let slowest = calling.join_all().await.into_iter().max().unwrap_or_default();
    let loads = loads() - loads_before;
    subject.settled().await;
    Stampede { loads, slowest }
}
