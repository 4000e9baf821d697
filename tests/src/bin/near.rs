//! A process with a near cache, controlled line by line. Its database is another Redis server: `row:<id>` is a version.

use cached_core::{Cache, redis_cached, redis_invalidate};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tests::{NearCommand, NearEvent, NearRead, microseconds};
use tokio::io::{AsyncBufReadExt, BufReader};

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    version: u64,
}

#[redis_cached(key = "row:<id>", ttl = "long", local = "30s", skip(database))]
async fn read(database: &MultiplexedConnection, id: u64) -> redis::RedisResult<Arc<Row>> {
    let version: Option<u64> = database.clone().get(format!("row:{id}")).await?;
    Ok(Arc::new(Row { version: version.unwrap_or(0) }))
}

#[redis_invalidate(key = "row:<id>")]
async fn write(database: &MultiplexedConnection, id: u64) -> redis::RedisResult<u64> {
    database.clone().incr(format!("row:{id}"), 1).await
}

/// A generator of pseudo-random numbers that is good enough to choose rows: splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

fn near_hits(cache: &Cache) -> u64 {
    cache.stats().site("read").map_or(0, |site| site.near_hits)
}

async fn run(database: &MultiplexedConnection, seed: u64, operations: u64, rows: u64) -> Vec<NearEvent> {
    let mut random = Random(seed);
    let mut events = Vec::new();
    for _ in 0..operations {
        let (id, is_write, began) = (random.below(rows), random.below(5) == 0, microseconds());
        let version = if is_write {
            write(database, id).await.expect("the database answers")
        } else {
            read(database, id).await.expect("the database answers").version
        };
        events.push(NearEvent { id, is_write, version, began, ended: microseconds() });
        tokio::time::sleep(Duration::from_micros(random.below(2_000))).await;
    }
    events
}

fn say(line: &impl Serialize) -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(line)?)?;
    out.flush()?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, database, heartbeat_ms] = arguments.as_slice() else {
        return Err("usage: near URL DATABASE_URL HEARTBEAT_MS".into());
    };
    let heartbeat = Duration::from_millis(heartbeat_ms.parse()?);
    let cache = Cache::builder().namespace("cache").redis(url).near_heartbeat(heartbeat).build()?;
    cache.install();
    let database = redis::Client::open(database.as_str())?.get_multiplexed_async_connection().await?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        match serde_json::from_str(&line)? {
            NearCommand::Read { id } => {
                let before = near_hits(&cache);
                let began = std::time::Instant::now();
                let version = read(&database, id).await?.version;
                let took_us = u64::try_from(began.elapsed().as_micros())?;
                let is_near = near_hits(&cache) > before;
                cache.flush().await;
                let is_coherent = cache.stats().near.is_some_and(|near| near.coherent);
                say(&NearRead { version, is_near, is_coherent, took_us })?;
            }
            NearCommand::Write { id } => {
                let version = write(&database, id).await?;
                say(&NearRead { version, is_near: false, is_coherent: true, took_us: 0 })?;
            }
            NearCommand::Run { seed, operations, rows } => {
                let before = near_hits(&cache);
                let events = run(&database, seed, operations, rows).await;
                say(&(events, near_hits(&cache) - before))?;
            }
        }
    }
    Ok(())
}
