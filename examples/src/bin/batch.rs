//! Reads a hundred articles, some of which are cached already.
//!
//! One by one, each article costs a round trip. Together they cost one, and one query for the missing articles. `cargo
//! run -p examples --bin batch`, or with `REDIS_URL=redis://127.0.0.1/` in front to store in Redis.

use cached_core::{Cache, redis_cached};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::error::Error;
use std::time::{Duration, Instant};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Article {
    id: u64,
    title: String,
}

/// Pretends to be a query of 5 ms: `SELECT .. WHERE id = ANY($1)`.
async fn query(ids: &[u64]) -> HashMap<u64, Article> {
    println!("  the database is asked for {} articles", ids.len());
    tokio::time::sleep(Duration::from_millis(5)).await;
    ids.iter().map(|id| (*id, Article { id: *id, title: format!("Article {id}") })).collect()
}

/// Shares its entries with `articles`, because the key is the same.
#[redis_cached(key = "article:<id>")]
async fn article(id: u64) -> Option<Article> {
    query(&[id]).await.remove(&id)
}

#[redis_cached(key = "article:<id>", batch = ids)]
async fn articles(ids: &[u64]) -> HashMap<u64, Article> {
    query(ids).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let cache = Cache::builder().from_env().namespace("batch").build()?;
    cache.clone().install();
    // An earlier run may have left them in Redis.
    cache.clear().await?;

    println!("three are read one by one:");
    for id in [7, 21, 63] {
        article(id).await;
    }
    cache.flush().await;

    let ids: Vec<u64> = (1..=100).collect();
    for what in ["the list, for the first time", "once more"] {
        println!("{what}:");
        let start = Instant::now();
        let found = articles(&ids).await;
        println!("  {} articles in {:.1?}", found.len(), start.elapsed());
        cache.flush().await;
    }

    let start = Instant::now();
    for id in ids {
        article(id).await;
    }
    println!("one by one, all of them cached: {:.1?}", start.elapsed());
    println!("{}", cache.stats());
    Ok(())
}
