//! A thousand simultaneous callers of one cold key.

use crate::report::Line;
use crate::rounds::{Samples, interleaved, lines};
use crate::scale::Scale;
use crate::server::RedisServer;
use crate::subjects;
use crate::targets::{LOADS, SLOWEST};
use crate::user::{FIRST_ID, set_load_time};

const CALLERS: usize = 1_000;
const LOAD_MILLIS: u64 = 50;
const ROUNDS: usize = 7;

pub(super) async fn run(bench: &str, server: &RedisServer, scale: &Scale) -> Vec<Line> {
    let contenders = subjects::all(&server.url()).await;
    for contender in &contenders {
        // Connections are made on first use.
        contender.prime(1).await;
    }
    set_load_time(LOAD_MILLIS);
    // Keys that no other case has touched.
    let mut id = 2 * FIRST_ID;
    let mut loads: Vec<_> =
        contenders.iter().map(|contender| Samples { subject: contender.name(), figures: Vec::new() }).collect();
    let slowest = interleaved(bench, &contenders, scale.rounds_or(ROUNDS), async |contender| {
        id += 1;
        let stampede = contender.stampede(id, CALLERS).await;
        if let Some(loads) = loads.iter_mut().find(|samples| samples.subject == contender.name()) {
            loads.figures.push(stampede.loads as f64);
        }
        stampede.slowest.as_secs_f64() * 1e3
    })
    .await;
    set_load_time(0);
    [lines(bench, LOADS, &loads), lines(bench, SLOWEST, &slowest)].concat()
}
