//! A thousand callers ask for the same value at the same moment, before it is cached.
//!
//! Without a cache, and with a naive one, every caller runs the query. Here one runs it and the others share what it
//! finds. `cargo run -p examples --bin stampede`, or with `REDIS_URL=redis://127.0.0.1/` in front to store in Redis;
//! then start it in two terminals within a few seconds: both together load once.

use cached_core::{Cache, redis_cached};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Barrier, Semaphore};
use tokio::task::JoinSet;

const CALLERS: usize = 1_000;

/// How many times the query ran.
static LOADS: AtomicU64 = AtomicU64::new(0);

/// The database has ten connections. A query waits if all of them are in use.
static CONNECTIONS: Semaphore = Semaphore::const_new(10);

/// Pretends to be a query of 50 ms.
async fn query_report(year: u16) -> String {
    let _connection = CONNECTIONS.acquire().await;
    LOADS.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(50)).await;
    format!("the sales of {year}")
}

#[redis_cached(key = "report:<year>", ttl = "short")]
async fn report(year: u16) -> String {
    query_report(year).await
}

/// Starts all callers at once, waits for the last, and prints what they cost.
async fn stampede<F>(label: &str, call: fn(u16) -> F) -> Result<(), Box<dyn Error>>
where
    F: Future<Output = String> + Send + 'static,
{
    LOADS.store(0, Ordering::Relaxed);
    let start_line = Arc::new(Barrier::new(CALLERS));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let start_line = Arc::clone(&start_line);
        callers.spawn(async move {
            start_line.wait().await;
            let start = Instant::now();
            let value = call(2025).await;
            assert_eq!(value, "the sales of 2025");
            start.elapsed()
        });
    }

    let mut slowest = Duration::ZERO;
    while let Some(elapsed) = callers.join_next().await {
        slowest = slowest.max(elapsed?);
    }
    println!(
        "{label:<8} {CALLERS} callers, {:>4} loads, slowest caller {slowest:>8.1?}",
        LOADS.load(Ordering::Relaxed)
    );
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let cache = Cache::builder().from_env().namespace("stampede").build()?;
    cache.clone().install();

    // The value must not be cached yet, but an earlier run may have left it in Redis.
    cache.entry("report:2025").remove().await?;

    stampede("uncached", query_report).await?;
    stampede("cached", report).await?;
    cache.flush().await;

    if let Some(site) = cache.stats().site("report") {
        println!("report: {} loads, {} callers shared a load, {} hits", site.loads, site.coalesced, site.hits);
    }
    Ok(())
}
