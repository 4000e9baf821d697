//! The smallest complete program: one cached function, called twice.
//!
//! `cargo run -p examples --bin hello`, or with `REDIS_URL=redis://127.0.0.1/` in front to store in Redis.

use cached_core::{Cache, redis_cached};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::time::{Duration, Instant};

#[derive(Debug, Serialize, Deserialize)]
struct User {
    id: u64,
    name: String,
}

/// Pretends to be a slow query.
#[redis_cached(key = "user:<id>", ttl = "90s")]
async fn find_user(id: u64) -> User {
    tokio::time::sleep(Duration::from_millis(300)).await;
    User { id, name: format!("user number {id}") }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let cache = Cache::from_env("shop")?;
    cache.clone().install();

    for call in ["first", "second"] {
        let start = Instant::now();
        let user = find_user(42).await;
        println!("{call} call: {:>9.3?}  {user:?}", start.elapsed());
        // The value is stored in the background; this small program waits for it.
        cache.flush().await;
    }

    for site in cache.stats().sites {
        println!("{} ({}): {} calls, {} hits, {} loads", site.site, site.key, site.calls(), site.hits, site.loads);
    }

    // A process ends its cache, so that nothing on its way is lost.
    let unfinished = cache.shutdown(Duration::from_secs(5)).await;
    if !unfinished.is_empty() {
        println!("not finished: {unfinished}");
    }
    Ok(())
}
