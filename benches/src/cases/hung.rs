//! A server that holds its connections and answers nothing.

use crate::report::Line;
use crate::rounds::{Samples, lines, median, order};
use crate::scale::Scale;
use crate::server::RedisServer;
use crate::subjects::{Contender, FLOOR, Floor, OURS, Ours};
use crate::targets::{HUNG_AFTER, HUNG_FIRST};
use crate::user::{FIRST_ID, set_load_time};

const LOAD_MILLIS: u64 = 1;
const ROUNDS: usize = 3;
/// More than the failures that open the breaker.
const FIRST_CALLS: u64 = 5;

pub(super) async fn run(bench: &str, server: &RedisServer, scale: &Scale) -> Vec<Line> {
    let (ours, floor) = (Ours::connect(&server.url()).await, Floor::connect(&server.url()).await);
    let contenders: [&dyn Contender; 2] = [&ours, &floor];
    let calls = FIRST_CALLS + scale.hung_calls as u64;
    for contender in contenders {
        contender.prime(calls).await;
    }
    set_load_time(LOAD_MILLIS);
    let samples = |subject| Samples { subject, figures: Vec::new() };
    let mut first = [samples(OURS), samples(FLOOR)];
    let mut after = [samples(OURS), samples(FLOOR)];
    for round in 0..scale.rounds_or(ROUNDS) {
        eprintln!("{bench}: round {}", round + 1);
        for turn in order(contenders.len(), round) {
            server.freeze();
            let mut millis = Vec::new();
            for id in FIRST_ID..FIRST_ID + calls {
                millis.push(contenders[turn].call(id).await.as_secs_f64() * 1e3);
            }
            server.thaw();
            ours.recovered().await;
            let rest = millis.split_off(usize::try_from(FIRST_CALLS).unwrap_or(usize::MAX));
            first[turn].figures.push(millis.into_iter().fold(0.0, f64::max));
            after[turn].figures.push(median(rest));
        }
    }
    set_load_time(0);
    [lines(bench, HUNG_FIRST, &first), lines(bench, HUNG_AFTER, &after)].concat()
}
