//! Calls that the cache answers.

use crate::report::Line;
use crate::rounds::{Samples, interleaved, lines};
use crate::scale::Scale;
use crate::server::RedisServer;
use crate::subjects::{self, Hits};
use crate::targets::{HITS, LATENCY};

pub(crate) const KEYS: u64 = 1_000;
const ROUNDS: usize = 7;

pub(super) async fn run(bench: &str, server: &RedisServer, tasks: usize, keys: u64, scale: &Scale) -> Vec<Line> {
    let contenders = subjects::all(&server.url()).await;
    for contender in &contenders {
        contender.prime(keys).await;
    }
    let measured = Hits { tasks, keys, time: scale.time };
    let warm_up = Hits { time: scale.time / 5, ..measured };
    let samples = interleaved(bench, &contenders, scale.rounds_or(ROUNDS), async |contender| {
        contender.hits(warm_up).await;
        contender.hits(measured).await
    })
    .await;
    let mut all = lines(bench, HITS, &samples);
    if tasks == 1 {
        all.extend(lines(bench, LATENCY, &samples.iter().map(latency).collect::<Vec<_>>()));
    }
    all
}

/// The latency of one task that calls without a pause.
fn latency(of: &Samples) -> Samples {
    Samples { subject: of.subject, figures: of.figures.iter().map(|hits| 1e6 / hits).collect() }
}
