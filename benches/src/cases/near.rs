//! Hits that ask no server.

use crate::counting;
use crate::report::Line;
use crate::rounds::{Samples, lines, order};
use crate::scale::Scale;
use crate::server::RedisServer;
use crate::subjects::OURS;
use crate::subjects::near::{Bare, HitboxMoka, Moka, NearSubject, OursNear, Sharded, nanos};
use crate::targets::{NEAR, NEAR_ALLOCATIONS};
use crate::user::FIRST_ID;
use std::pin::Pin;
use std::time::Duration;

const KEYS: u64 = 1_000;
const ROUNDS: usize = 7;

type Measure = Box<dyn Fn(u64, Duration) -> Pin<Box<dyn Future<Output = f64> + Send>>>;

fn subject<S: NearSubject>(subject: S) -> (&'static str, Measure) {
    let measure = move |tasks, time| {
        let subject = subject.clone();
        let measuring = async move { nanos(&subject, FIRST_ID, KEYS, tasks, time).await };
        Box::pin(measuring) as Pin<Box<dyn Future<Output = f64> + Send>>
    };
    (S::NAME, Box::new(measure))
}

pub(super) async fn run(bench: &str, server: &RedisServer, tasks: u64, scale: &Scale) -> Vec<Line> {
    let ours = OursNear::connect(&server.url());
    ours.warm(FIRST_ID, KEYS).await;
    let subjects = [
        subject(ours.clone()),
        subject(Bare::new()),
        subject(Moka::new()),
        subject(Sharded),
        subject(HitboxMoka::new()),
    ];
    let mut samples: Vec<_> = subjects.iter().map(|(subject, _)| Samples { subject, figures: Vec::new() }).collect();
    for (_, measure) in &subjects {
        measure(tasks, scale.time / 5).await;
    }
    let others = ours.others();
    let rounds = scale.rounds_or(ROUNDS);
    for round in 0..rounds {
        eprintln!("{bench}: round {} of {rounds}", round + 1);
        for turn in order(subjects.len(), round) {
            samples[turn].figures.push(subjects[turn].1(tasks, scale.time).await);
        }
    }
    let others = ours.others() - others;
    eprintln!("{bench}: {others} of our calls asked Redis");
    let mut all = lines(bench, NEAR, &samples);
    if tasks == 1 {
        ours.warm(FIRST_ID, KEYS).await;
        let before = ours.others();
        counting::start();
        for id in FIRST_ID..FIRST_ID + KEYS {
            ours.find(id).await;
        }
        let allocations = counting::stop();
        // A call that asked Redis would allocate more than a near hit.
        let per_hit = if ours.others() == before { allocations as f64 / KEYS as f64 } else { f64::NAN };
        all.push(Line::new(bench, OURS, per_hit, NEAR_ALLOCATIONS, None));
    }
    all
}
