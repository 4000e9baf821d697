//! A hundred ids in one call, next to a hundred calls and to hand-written code.

use crate::report::Line;
use crate::rounds::{Samples, lines, order};
use crate::scale::Scale;
use crate::server::RedisServer;
use crate::subjects::{FLOOR, Floor, OURS, Ours, Subject, connection};
use crate::targets::{BATCH_GAIN, BATCHES, BATCHES_COLD};
use crate::user::{FIRST_ID, User, load};
use cached_core::redis_cached;
use redis::aio::MultiplexedConnection;
use std::collections::HashMap;
use std::hint::black_box;
use std::ops::Range;
use std::time::{Duration, Instant};

const IDS: u64 = 100;
const KEYS: u64 = 1_000;
const ROUNDS: usize = 7;
const ONE_BY_ONE: &str = "one by one";
const NEAR: &str = "ours-near";

/// The key is that of the function over one id, so both have the same entries.
#[redis_cached(key = "user:<id>", ttl = "medium", batch = ids)]
async fn find_users(ids: &[u64]) -> HashMap<u64, User> {
    let mut users = HashMap::with_capacity(ids.len());
    for &id in ids {
        users.insert(id, load(id).await);
    }
    users
}

/// The same with the near cache, with its own entries.
#[redis_cached(key = "near-user:<id>", ttl = "medium", local = "10m", batch = ids)]
async fn find_near_users(ids: &[u64]) -> HashMap<u64, User> {
    let mut users = HashMap::with_capacity(ids.len());
    for &id in ids {
        users.insert(id, load(id).await);
    }
    users
}

/// MGET, the load of the missing values, and their SETs in one pipeline.
async fn by_hand(connection: &mut MultiplexedConnection, ids: &[u64]) -> HashMap<u64, User> {
    let mut mget = redis::cmd("MGET");
    for &id in ids {
        mget.arg(Floor::key(id));
    }
    let values: Vec<Option<Vec<u8>>> = mget.query_async(connection).await.unwrap_or_else(|_| vec![None; ids.len()]);
    let mut users = HashMap::with_capacity(ids.len());
    let mut sets = redis::pipe();
    for (&id, json) in ids.iter().zip(values) {
        if let Some(user) = json.and_then(|json| serde_json::from_slice(&json).ok()) {
            users.insert(id, user);
            continue;
        }
        let user = load(id).await;
        if let Ok(json) = serde_json::to_vec(&user) {
            sets.cmd("SET").arg(Floor::key(id)).arg(json).arg("PX").arg(600_000).ignore();
        }
        users.insert(id, user);
    }
    if !sets.is_empty() {
        // A value that is not stored is loaded again.
        let _: Result<(), _> = sets.query_async(connection).await;
    }
    users
}

/// A subject of the comparison.
#[derive(Clone)]
enum BatchSubject {
    Ours(Ours),
    Near(Ours),
    OneByOne(Ours),
    ByHand(MultiplexedConnection),
}

impl BatchSubject {
    fn name(&self) -> &'static str {
        match self {
            Self::Ours(_) => OURS,
            Self::Near(_) => NEAR,
            Self::OneByOne(_) => ONE_BY_ONE,
            Self::ByHand(_) => FLOOR,
        }
    }

    async fn find(&mut self, ids: Range<u64>) {
        match self {
            Self::Ours(_) => _ = black_box(find_users(&ids.collect::<Vec<_>>()).await),
            Self::Near(_) => _ = black_box(find_near_users(&ids.collect::<Vec<_>>()).await),
            Self::OneByOne(ours) => {
                for id in ids {
                    black_box(ours.find(id).await);
                }
            }
            Self::ByHand(connection) => _ = black_box(by_hand(connection, &ids.collect::<Vec<_>>()).await),
        }
    }

    async fn settled(&self) {
        if let Self::Ours(ours) | Self::Near(ours) | Self::OneByOne(ours) = self {
            ours.settled().await;
        }
    }
}

pub(super) async fn run(bench: &str, server: &RedisServer, scale: &Scale) -> Vec<Line> {
    let ours = Ours::connect(&server.url()).await;
    let by_hand = BatchSubject::ByHand(connection(&server.url()).await);
    let subjects =
        [BatchSubject::Ours(ours.clone()), BatchSubject::Near(ours.clone()), BatchSubject::OneByOne(ours), by_hand];
    let hits = measure(bench, &subjects, scale, |subject, time| {
        Box::pin(async move { in_task(subject, move |turn| FIRST_ID + turn * IDS % KEYS, time).await })
    })
    .await;
    // Keys that nobody has asked for before.
    let mut next = 6 * FIRST_ID;
    let cold = measure(bench, &subjects, scale, |subject, time| {
        next += 10_000_000;
        let first = next;
        Box::pin(async move { in_task(subject, move |turn| first + turn * IDS, time).await })
    })
    .await;
    let mut all = lines(bench, BATCHES, &hits);
    all.extend(lines(bench, BATCHES_COLD, &cold));
    let gain = gain(&hits);
    all.push(Line::new(bench, OURS, gain, BATCH_GAIN, None));
    all
}

/// The gain over our single calls, round by round.
fn gain(hits: &[Samples]) -> f64 {
    let of = |name| hits.iter().find(|samples| samples.subject == name).map_or(&[][..], |samples| &samples.figures);
    let ratios = of(OURS).iter().zip(of(ONE_BY_ONE)).map(|(batch, single)| batch / single);
    crate::rounds::median(ratios.collect())
}

type Measuring = std::pin::Pin<Box<dyn Future<Output = f64> + Send>>;

async fn measure(
    bench: &str,
    subjects: &[BatchSubject],
    scale: &Scale,
    mut once: impl FnMut(BatchSubject, Duration) -> Measuring,
) -> Vec<Samples> {
    let mut samples: Vec<_> =
        subjects.iter().map(|subject| Samples { subject: subject.name(), figures: Vec::new() }).collect();
    for subject in subjects {
        once(subject.clone(), scale.time / 5).await;
    }
    let rounds = scale.rounds_or(ROUNDS);
    for round in 0..rounds {
        eprintln!("{bench}: round {} of {rounds}", round + 1);
        for turn in order(subjects.len(), round) {
            samples[turn].figures.push(once(subjects[turn].clone(), scale.time).await);
        }
    }
    samples
}

/// Batches per second of one task, until all is stored.
async fn in_task(mut subject: BatchSubject, first: impl Fn(u64) -> u64 + Send + 'static, time: Duration) -> f64 {
    let calling = tokio::spawn(async move {
        let (began, mut turn) = (Instant::now(), 0);
        while began.elapsed() < time {
            let first = first(turn);
            subject.find(first..first + IDS).await;
            turn += 1;
        }
        subject.settled().await;
        turn as f64 / began.elapsed().as_secs_f64()
    });
    calling.await.expect("the caller panicked")
}
