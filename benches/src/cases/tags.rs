//! The cost of tags: hits of an entry with two tags next to hits of one without, and the invalidation of a tag that
//! many entries have.

use crate::report::Line;
use crate::rounds::{interleaved, lines, median};
use crate::scale::Scale;
use crate::server::RedisServer;
use crate::subjects::{Contender, FLOOR, Hits, OURS, Ours, Subject, connection};
use crate::targets::{HITS, INVALIDATION, REGISTER};
use crate::user::{FIRST_ID, User, load};
use cached_core::{Cache, CacheEvent, Invalidation, Outcome, redis_cached};
use std::time::Instant;
use tokio::task::JoinSet;

const KEYS: u64 = 1_000;
const ROUNDS: usize = 7;
const TENANTS: u64 = 10;
/// The number of invalidations of each tag.
const INVALIDATIONS: u32 = 200;

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

/// One tag that many entries share, and one of its own.
#[redis_cached(key = "tagged:<id>", tags = "tenant:<tenant>", skip(tenant), invalidate_on = UserUpdated { id })]
async fn find_tagged(id: u64, tenant: u64) -> User {
    load(id).await
}

#[derive(Debug, Clone)]
struct Tagged(Ours);

impl Subject for Tagged {
    const NAME: &'static str = OURS;

    fn find(&self, id: u64) -> impl Future<Output = User> + Send {
        find_tagged(id, id % TENANTS)
    }

    async fn settled(&self) {
        self.0.settled().await;
    }
}

/// The same without tags: the floor of these cases.
#[derive(Debug, Clone)]
struct Untagged(Ours);

impl Subject for Untagged {
    const NAME: &'static str = FLOOR;

    fn find(&self, id: u64) -> impl Future<Output = User> + Send {
        self.0.find(id)
    }

    async fn settled(&self) {
        self.0.settled().await;
    }
}

pub(super) async fn hits(bench: &str, server: &RedisServer, tasks: usize, scale: &Scale) -> Vec<Line> {
    let ours = Ours::connect(&server.url()).await;
    let contenders: [Box<dyn Contender>; 2] = [Box::new(Tagged(ours.clone())), Box::new(Untagged(ours))];
    for contender in &contenders {
        contender.prime(KEYS).await;
    }
    let measured = Hits { tasks, keys: KEYS, time: scale.time };
    let warm_up = Hits { time: scale.time / 5, ..measured };
    let samples = interleaved(bench, &contenders, scale.rounds_or(ROUNDS), async |contender| {
        contender.hits(warm_up).await;
        contender.hits(measured).await
    })
    .await;
    lines(bench, HITS, &samples)
}

/// The ratio is to the time for the tag of one entry.
pub(super) async fn invalidation(bench: &str, server: &RedisServer, scale: &Scale) -> Vec<Line> {
    let cache = Ours::connect(&server.url()).await.cache();
    let mut all: Vec<Line> = Vec::new();
    for (entries, unit) in INVALIDATION {
        let entries = entries.min(scale.fill_keys);
        eprintln!("{bench}: a tag of {entries}");
        let tag = format!("entries:{unit}");
        fill(&cache, &tag, entries).await;
        let mut figures = Vec::new();
        for _ in 0..INVALIDATIONS {
            let began = Instant::now();
            let outcome = cache.invalidate(Invalidation::new().tag(tag.as_str())).await;
            figures.push(began.elapsed().as_secs_f64() * 1e6);
            assert_eq!(outcome, Outcome::Applied);
        }
        let figure = median(figures);
        let of_one = all.first().map_or(figure, |line| line.value);
        all.push(Line::new(bench, OURS, figure, unit, Some(figure / of_one)));
    }
    all
}

/// Stores this number of entries with the tag.
async fn fill(cache: &Cache, tag: &str, entries: u64) {
    let mut filling = JoinSet::new();
    for task in 0..64 {
        let (cache, tag) = (cache.clone(), tag.to_owned());
        filling.spawn(async move {
            for id in (task..entries).step_by(64) {
                let loaded =
                    cache.entry(format!("{tag}:{id}")).tag(tag.as_str()).get_or_load(async || Ok::<_, ()>(id)).await;
                assert_eq!(loaded, Ok(id));
            }
        });
    }
    filling.join_all().await;
    cache.flush().await;
}

/// The size of the register of a tag or event in Redis.
pub(super) async fn register(bench: &str, server: &RedisServer) -> Line {
    let tagged = Tagged(Ours::connect(&server.url()).await);
    tagged.find(FIRST_ID).await;
    tagged.settled().await;
    let mut control = connection(&server.url()).await;
    let key = format!("bench:e:{}:{FIRST_ID}", UserUpdated::NAME);
    let bytes: Option<u64> =
        redis::cmd("MEMORY").arg("USAGE").arg(&key).query_async(&mut control).await.expect("the server answers");
    Line::new(bench, OURS, bytes.unwrap_or_else(|| panic!("nothing under {key}")) as f64, REGISTER, None)
}
