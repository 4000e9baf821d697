//! A process whose callers read one value again and again, from before its end until it has been refreshed.
//!
//! The key names the kind of its loads: "well", "failing" (all but those of the first second), "hanging" (all but the
//! first). The process reports its loads, how much longer the slowest call around the end took than the slowest hit
//! before it, and the values.

use cached_core::{Cache, redis_cached};
use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tests::Report;

static LOADS: AtomicU64 = AtomicU64::new(0);
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// From here on calls may meet the end of the first value.
const FIRST_PART: Duration = Duration::from_millis(1_000);
/// The end of the second value is later.
const ALL: Duration = Duration::from_millis(2_200);

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

async fn load(kind: &str, takes: Duration) -> Result<String, String> {
    let is_first = LOADS.fetch_add(1, Ordering::SeqCst) == 0;
    match kind {
        "failing" if BEGAN.elapsed() > FIRST_PART => return Err("the source is down".to_owned()),
        "hanging" if !is_first => {
            say("loading");
            std::future::pending::<()>().await;
        }
        _ => tokio::time::sleep(takes).await,
    }
    Ok(format!("loaded by {}", std::process::id()))
}

#[redis_cached(
    key = "renewed:<kind>",
    skip(takes),
    ttl = "1200ms",
    jitter = 0.0,
    stale_while_revalidate = "1m",
    refresh = "background"
)]
async fn renewed(kind: &str, takes: Duration) -> Result<String, String> {
    load(kind, takes).await
}

#[redis_cached(key = "renewed-late:<kind>", skip(takes), ttl = "1200ms", jitter = 0.0, stale_if_error = "1m")]
async fn bridged(kind: &str, takes: Duration) -> Result<String, String> {
    load(kind, takes).await
}

async fn call(kind: &str, takes: Duration) -> Result<String, String> {
    if kind == "failing" { bridged(kind, takes).await } else { renewed(kind, takes).await }
}

/// One caller: the slowest of its hits before the end, the slowest of its later calls, and its values.
async fn caller(kind: String, takes: Duration) -> Result<(Duration, Duration, BTreeSet<String>), String> {
    let (mut hits, mut later, mut values) = (Duration::ZERO, Duration::ZERO, BTreeSet::new());
    while BEGAN.elapsed() < ALL {
        let began = Instant::now();
        values.insert(call(&kind, takes).await?);
        let slowest = if BEGAN.elapsed() < FIRST_PART { &mut hits } else { &mut later };
        *slowest = began.elapsed().max(*slowest);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok((hits, later, values))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, kind, callers, load_ms, lease_ms] = arguments.as_slice() else {
        return Err("usage: refresher URL KIND CALLERS LOAD_MS LEASE_MS".into());
    };
    let takes = Duration::from_millis(load_ms.parse()?);
    let lease = Duration::from_millis(lease_ms.parse()?);
    let cooldown = Duration::from_millis(200);
    let cache = Cache::builder()
        .namespace("cache")
        .redis(url)
        .lease_ttl(lease)
        .refresh_cooldown(cooldown)
        .budget(Duration::from_secs(2))
        .build()?;
    cache.install();
    let callers: u32 = callers.parse()?;
    say("ready");
    std::io::stdin().lock().read_line(&mut String::new())?;

    LazyLock::force(&BEGAN);
    call(kind, takes).await?;
    let callers: Vec<_> = (0..callers).map(|_| tokio::spawn(caller(kind.clone(), takes))).collect();
    let (mut hits, mut later, mut values) = (Duration::ZERO, Duration::ZERO, BTreeSet::new());
    for one in callers {
        let (of_hits, after, got) = one.await??;
        (hits, later) = (hits.max(of_hits), later.max(after));
        values.extend(got);
    }
    let report = Report {
        loads: LOADS.load(Ordering::SeqCst),
        slowest_ms: later.saturating_sub(hits).as_secs_f64() * 1000.0,
        values: values.into_iter().collect(),
    };
    say(&serde_json::to_string(&report)?);

    Ok(())
}
