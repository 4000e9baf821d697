//! A service that lends books. Shows cached repositories behind a trait, and here the start and the end of a process.
//!
//! `cargo run -p library`, then `curl -i http://127.0.0.1:3001/books/1`. The database is in memory, and so is the cache,
//! unless `REDIS_URL` is set. Ctrl-C ends it.

mod db;
mod model;
#[cfg(test)]
mod tests;
mod web;

use crate::db::{Db, Library};
use crate::web::App;
use cached_core::Cache;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// The one place that decides which cache the service uses. None is installed.
fn app(db: &Db, cache: &Cache) -> App {
    let books = Arc::new(Library { db: db.clone(), cache: cache.clone() });
    App { books, db: db.clone(), cache: cache.clone() }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let cache = Cache::from_env("library")?;
    // Not over a notice that another process has stored. A task keeps the cache, and whoever spawns it its handle.
    let notice = web::notice(&cache);
    let primed = cache.spawn(async move { notice.prime(&String::from("Open from 9 to 5")).await });

    let listener = TcpListener::bind("127.0.0.1:3001").await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, web::router(app(&Db::open()?, &cache)))
        .with_graceful_shutdown(async { tokio::signal::ctrl_c().await.unwrap_or_default() })
        .await?;

    // `shutdown` does not wait for tasks.
    if let Err(error) = primed.await? {
        eprintln!("there was no notice: {error}");
    }
    // After the last response: values and invalidations that are still on their way.
    let unfinished = cache.shutdown(Duration::from_secs(5)).await;
    if !unfinished.is_empty() {
        eprintln!("the cache was not finished: {unfinished}");
    }
    Ok(())
}
