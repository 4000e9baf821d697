//! The sample web app: a product catalogue whose queries are cached.
//!
//! `cargo run --release -p webapp`, then open <http://127.0.0.1:3000>. It keeps its cache in memory, or in Redis if
//! `REDIS_URL` is set. If Redis stops meanwhile, the app continues, only slower. Ctrl-C and SIGTERM end it: open requests
//! are answered, pending invalidations are applied, and the database is removed.
//!
//! `cargo run -p webapp -- audit` checks that some function causes each event and some function listens to it.

mod api;
mod changes;
mod config;
mod db;
mod error;
mod model;
mod page;
mod query;
mod repository;
mod showcase;
mod shutdown;
#[cfg(test)]
mod tests;
mod timing;
mod told;
mod writes;

use crate::api::App;
use crate::db::Seed;
use crate::error::StartError;
use crate::repository::Repository;
use crate::shutdown::Stop;
use cached_core::{Audit, AuditOptions, Cache, CacheBuilder};
use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => run().await,
        ["audit"] => audited(),
        _ => Err(StartError::Arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn settings() -> CacheBuilder {
    Cache::builder().namespace("webapp").ttl_class("catalog", Duration::from_mins(5))
}

fn audited() -> Result<(), StartError> {
    let audit = audit(&settings().build()?);
    // Goes to stdout and not to the log, so that it can be piped.
    let mut out = io::stdout().lock();
    writeln!(out, "{audit}")?;
    if audit.is_clean() { Ok(()) } else { Err(StartError::Audit) }
}

/// No attribute names these events, because `place_order` causes them by hand, in its transaction.
fn audit(cache: &Cache) -> Audit {
    ["UserBought", "CategorySold", "YearSold"]
        .into_iter()
        .fold(AuditOptions::new(), AuditOptions::allow)
        .classes_of(cache)
        .audit()
}

async fn run() -> Result<(), StartError> {
    let stop = Stop::listen();
    // Done first, so that a port in use is reported at once.
    let addr = config::addr()?;
    let listener = TcpListener::bind(addr).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => StartError::AddrInUse(addr),
        _ => error.into(),
    })?;

    // Redis need not be there yet: the connection is made when it is first used.
    let cache = settings().from_env().build()?;
    cache.clone().install();

    let directory = tempfile::tempdir()?;
    let pool = tokio::select! {
        pool = db::create(directory.path(), Seed::FULL) => pool?,
        () = stop.clone().signalled() => return Ok(()),
    };
    let app = App { repository: Repository::new(pool.clone()), cache: cache.clone() };

    let url = format!("http://{}", listener.local_addr()?);
    tracing::info!(%url, store = cache.stats().store, "listening");
    shutdown::serve(listener, api::router(app), stop).await?;
    let unfinished = shutdown::finish(&cache).await;

    pool.close().await;
    directory.close()?;
    shutdown::log(&unfinished);
    Ok(())
}
