//! A process that uses the cache: a number of concurrent callers of one key, whose load takes a given time. They may
//! refresh by force.

use cached_core::Cache;
use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tests::Report;

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, key, callers, load_ms, lease_ms, force @ ..] = arguments.as_slice() else {
        return Err("usage: worker URL KEY CALLERS LOAD_MS LEASE_MS [force]".into());
    };
    let is_forced = !force.is_empty();
    let load_time = Duration::from_millis(load_ms.parse()?);
    let lease = Duration::from_millis(lease_ms.parse()?);
    let cache =
        // Patient, because the time of the store is not under test.
        Cache::builder().namespace("cache").redis(url).budget(Duration::from_secs(5)).lease_ttl(lease).max_wait(Duration::from_secs(30)).build()?;
    let callers: u32 = callers.parse()?;

    say("ready");
    std::io::stdin().lock().read_line(&mut String::new())?;

    let loads = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let (cache, key, loads) = (cache.clone(), key.clone(), Arc::clone(&loads));
        tasks.spawn(async move {
            let began = Instant::now();
            let load = || async {
                if loads.fetch_add(1, Ordering::SeqCst) == 0 {
                    say("loading");
                }
                tokio::time::sleep(load_time).await;
                Ok::<_, String>(format!("loaded by {}", std::process::id()))
            };
            let entry = cache.entry(&key);
            let call = entry.get_or_load(load);
            let value = if is_forced { cached_core::refresh(call).await } else { call.await };
            (value, began.elapsed())
        });
    }
    let mut slowest = Duration::ZERO;
    let mut values = BTreeSet::new();
    while let Some(done) = tasks.join_next().await {
        let (value, took) = done?;
        slowest = slowest.max(took);
        values.insert(value?);
    }
    cache.flush().await;
    let report = Report {
        loads: loads.load(Ordering::SeqCst),
        slowest_ms: slowest.as_secs_f64() * 1000.0,
        values: values.into_iter().collect(),
    };
    say(&serde_json::to_string(&report)?);
    Ok(())
}
