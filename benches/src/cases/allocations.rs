//! Allocations of a hit, including those of the connection's task.

use super::hits::KEYS;
use crate::counting;
use crate::report::Line;
use crate::rounds::median;
use crate::scale::Scale;
use crate::server::RedisServer;
use crate::subjects::{self, Contender, FLOOR, OURS, Ours};
use crate::targets::{ALLOCATIONS, BEYOND_VALUE, BEYOND_VALUE_MEMORY};
use crate::user::{FIRST_ID, User};
use std::hint::black_box;

const ROUNDS: usize = 7;

pub(super) async fn run(bench: &str, server: &RedisServer, scale: &Scale) -> Vec<Line> {
    let rounds = scale.rounds_or(ROUNDS);
    let value = of_the_value();
    let mut all = vec![Line::new(bench, "value", value, ALLOCATIONS, None)];

    let mut per_hit = Vec::new();
    for contender in subjects::both(&server.url()).await {
        per_hit.push((contender.name(), measure(contender.as_ref(), rounds, scale.sequence).await));
    }
    let floor = per_hit.iter().find(|(name, _)| *name == FLOOR).map_or(f64::NAN, |(_, figure)| *figure);
    for (name, figure) in &per_hit {
        all.push(Line::new(bench, name, *figure, ALLOCATIONS, Some(figure / floor)));
    }
    for (name, figure) in &per_hit {
        let ratio = (figure - value) / (floor - value);
        all.push(Line::new(bench, name, figure - value, BEYOND_VALUE, Some(ratio)));
    }

    let in_memory = measure(&Ours::memory(), rounds, scale.sequence).await;
    all.push(Line::new(bench, OURS, in_memory - value, BEYOND_VALUE_MEMORY, None));
    all
}

async fn measure(contender: &dyn Contender, rounds: usize, calls: u64) -> f64 {
    contender.prime(KEYS).await;
    contender.sequence(calls, KEYS).await;
    let mut figures = Vec::new();
    for _ in 0..rounds {
        counting::start();
        contender.sequence(calls, KEYS).await;
        figures.push(counting::stop() as f64 / calls as f64);
    }
    median(figures)
}

/// The allocations of decoding the value, which nobody can avoid.
fn of_the_value() -> f64 {
    let json = serde_json::to_vec(&User::of(FIRST_ID)).expect("a user is JSON");
    counting::start();
    black_box(serde_json::from_slice::<User>(black_box(&json)).expect("it was just written"));
    counting::stop() as f64
}
