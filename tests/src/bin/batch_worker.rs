//! A process that asks for many ids at once: a number of batches of the same ids, whose loads take a given time.

use cached_core::{Cache, redis_cached};
use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tests::Report;

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

#[derive(Debug, Default)]
struct Source {
    load_time: Duration,
    loaded: Mutex<Vec<u64>>,
}

impl Source {
    #[redis_cached(key = "item:<id>", batch = ids)]
    async fn find(&self, ids: &[u64]) -> Result<HashMap<u64, u64>, String> {
        let is_first = {
            let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            loaded.extend(ids);
            loaded.len() == ids.len()
        };
        if is_first {
            say("loading");
        }
        tokio::time::sleep(self.load_time).await;
        Ok(ids.iter().map(|id| (*id, 2 * id)).collect())
    }
}

/// `0..3` is 0, 1, 2; `3..0` is 2, 1, 0.
fn range(text: &str) -> Result<Vec<u64>, Box<dyn std::error::Error>> {
    let (from, to) = text.split_once("..").ok_or("a range is FROM..TO")?;
    let (from, to): (u64, u64) = (from.parse()?, to.parse()?);
    Ok(if from < to { (from..to).collect() } else { (to..from).rev().collect() })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, ids, batches, load_ms, lease_ms] = arguments.as_slice() else {
        return Err("usage: batch_worker URL FROM..TO BATCHES LOAD_MS LEASE_MS".into());
    };
    let lease = Duration::from_millis(lease_ms.parse()?);
    let cache =
        Cache::builder().namespace("cache").redis(url).budget(Duration::from_secs(5)).lease_ttl(lease).build()?;
    cache.install();
    let source = Arc::new(Source { load_time: Duration::from_millis(load_ms.parse()?), ..Source::default() });
    let (ids, batches): (_, u32) = (range(ids)?, batches.parse()?);

    say("ready");
    std::io::stdin().lock().read_line(&mut String::new())?;

    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..batches {
        let (source, ids) = (Arc::clone(&source), ids.clone());
        tasks.spawn(async move {
            let began = Instant::now();
            let found = source.find(&ids).await?;
            let is_right = found.len() == ids.len() && ids.iter().all(|id| found.get(id) == Some(&(2 * id)));
            if is_right { Ok(began.elapsed()) } else { Err("the batch is not right".to_owned()) }
        });
    }
    let mut slowest = Duration::ZERO;
    while let Some(done) = tasks.join_next().await {
        slowest = slowest.max(done??);
    }
    cache.flush().await;
    let loaded = source.loaded.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let report = Report {
        loads: loaded.len() as u64,
        slowest_ms: slowest.as_secs_f64() * 1000.0,
        values: loaded.iter().map(u64::to_string).collect(),
    };
    say(&serde_json::to_string(&report)?);
    Ok(())
}
