//! Refreshes values in the background, and serves old ones while the source fails.
//!
//! The rates live for a second. Nobody waits for new ones: later calls are served the old rates while one task fetches
//! the next. Then the source fails for a while, and no caller sees an error. `cargo run -p examples --bin freshness`,
//! or with `REDIS_URL=redis://127.0.0.1/` in front to store in Redis; then start it in two terminals: both together
//! fetch as often as one alone.

use cached_core::{Cache, redis_cached};
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many times the source was asked.
static FETCHES: AtomicU64 = AtomicU64::new(0);

/// Pretends to be an external service: it takes 300 ms, and is down from the fourth to the eighth second.
async fn fetch(began: Instant) -> Result<u64, String> {
    let number = FETCHES.fetch_add(1, Ordering::Relaxed) + 1;
    tokio::time::sleep(Duration::from_millis(300)).await;
    if (4..8).contains(&began.elapsed().as_secs()) { Err("out of service".to_owned()) } else { Ok(number) }
}

#[redis_cached(key = "rates", skip(began), ttl = "1s", stale_while_revalidate = "1m", refresh = "background")]
async fn rates(began: Instant) -> Result<u64, String> {
    fetch(began).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let cache = Cache::builder().from_env().namespace("freshness").refresh_cooldown(Duration::from_secs(1)).build()?;
    cache.install();

    let began = Instant::now();
    for _ in 0..20 {
        let asked = Instant::now();
        let version = rates(began).await?;
        println!("{:>5.1} s: version {version}, after {:>7.1?}", began.elapsed().as_secs_f64(), asked.elapsed());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    if let Some(site) = cache.stats().site("rates") {
        println!(
            "{} calls, {} of them served a value past its end; {} refreshes, {} loads failed",
            site.calls(),
            site.stale,
            site.refreshes,
            site.load_errors
        );
    }
    Ok(())
}
