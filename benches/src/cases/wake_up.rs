//! How soon a call that waits for another process's load has its value.
//!
//! Two caches on one server stand for two processes: they share only Redis.

use crate::random::Random;
use crate::report::Line;
use crate::rounds::median;
use crate::scale::Scale;
use crate::server::RedisServer;
use crate::subjects::OURS;
use crate::targets::{WAKE_UP, WAKE_UP_POLLED};
use crate::user::User;
use cached_core::{Cache, redis_cached};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

const ROUNDS: usize = 100;
const FIRST: u64 = 50_000_000;

/// The load of one round: that it has begun, that it may end, and when it ended.
#[derive(Debug)]
struct Gate {
    begun: Notify,
    may_end: Notify,
    ended: watch::Sender<Option<Instant>>,
}

impl Gate {
    async fn load(&self, id: u64) -> Arc<User> {
        self.begun.notify_one();
        self.may_end.notified().await;
        self.ended.send_replace(Some(Instant::now()));
        Arc::new(User::of(id))
    }
}

#[redis_cached(key = "watched:<id>", local = "10m", skip(gate))]
async fn watched(gate: &Gate, id: u64) -> Arc<User> {
    gate.load(id).await
}

#[redis_cached(key = "polled:<id>", skip(gate))]
async fn polled(gate: &Gate, id: u64) -> Arc<User> {
    gate.load(id).await
}

pub(super) async fn run(bench: &str, server: &RedisServer, scale: &Scale) -> Vec<Line> {
    let cache = || Cache::builder().namespace("wake").redis(server.url()).build().expect("the defaults are sound");
    let rounds = scale.rounds.map_or(ROUNDS, |rounds| rounds * 10);
    let (loads, waits) = (cache(), cache());
    let by_polls =
        measure(&loads, &waits, FIRST, rounds, |gate, id| Box::pin(async move { polled(&gate, id).await })).await;
    let (loads, waits) = (cache(), cache());
    warm(&waits).await;
    let by_push =
        measure(&loads, &waits, 2 * FIRST, rounds, |gate, id| Box::pin(async move { watched(&gate, id).await })).await;
    vec![Line::new(bench, OURS, by_push, WAKE_UP, None), Line::new(bench, OURS, by_polls, WAKE_UP_POLLED, None)]
}

/// Waits until the server announces changes.
async fn warm(cache: &Cache) {
    while !cache.stats().near.is_some_and(|near| near.coherent) {
        let gate = gate();
        gate.may_end.notify_one();
        cache.scope(watched(&gate, FIRST - 1)).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn gate() -> Arc<Gate> {
    Arc::new(Gate { begun: Notify::new(), may_end: Notify::new(), ended: watch::Sender::new(None) })
}

type Call = fn(Arc<Gate>, u64) -> std::pin::Pin<Box<dyn Future<Output = Arc<User>> + Send>>;

/// The median of the milliseconds from the end of the load to the return of the call that waited.
async fn measure(loads: &Cache, waits: &Cache, first: u64, rounds: usize, call: Call) -> f64 {
    let mut figures = Vec::new();
    let mut random = Random::new(first);
    for id in (first..).take(rounds) {
        let gate = gate();
        let loading = tokio::spawn({
            let (cache, gate) = (loads.clone(), Arc::clone(&gate));
            async move { cache.scope(call(gate, id)).await }
        });
        gate.begun.notified().await;
        let waiting = tokio::spawn({
            let (cache, gate) = (waits.clone(), Arc::clone(&gate));
            async move {
                cache.scope(call(gate, id)).await;
                Instant::now()
            }
        });
        // At any moment between two polls.
        tokio::time::sleep(Duration::from_micros(40_000 + random.below(30_000))).await;
        gate.may_end.notify_one();
        let returned = waiting.await.expect("the waiting call panicked");
        loading.await.expect("the loading call panicked");
        let ended = gate.ended.borrow().expect("it has ended");
        figures.push(returned.saturating_duration_since(ended).as_secs_f64() * 1e3);
    }
    median(figures)
}
