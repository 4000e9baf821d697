//! The end of the app: what is under way is finished, but nothing can hold it up for long.

use axum::Router;
use cached_core::{Cache, Unfinished};
use std::io;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long open requests may take to end. Browsers also open connections ahead, on which nothing is ever asked.
const OPEN_REQUESTS: Duration = Duration::from_secs(5);
/// How long the cache may take to end what it stores and invalidates. What Redis has not taken by then is lost.
const UNFINISHED: Duration = Duration::from_secs(10);

/// Ctrl-C or SIGTERM. Listened for from the start, so that none is lost between two that wait for it.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    pub(crate) fn listen() -> Self {
        let (stop, receiver) = watch::channel(false);
        tokio::spawn(async move {
            tokio::select! {
                () = received("Ctrl-C", tokio::signal::ctrl_c()) => {}
                () = received("SIGTERM", terminate()) => {}
            }
            stop.send_replace(true);
        });
        Self(receiver)
    }

    pub(crate) async fn signalled(mut self) {
        if self.0.wait_for(|is_stopped| *is_stopped).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

async fn received(signal: &str, came: impl Future<Output = io::Result<()>>) {
    if let Err(error) = came.await {
        tracing::warn!(%error, "cannot listen for {signal}");
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
async fn terminate() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}

#[cfg(not(unix))]
async fn terminate() -> io::Result<()> {
    std::future::pending().await
}

/// Serves until the stop signal and until the open requests are answered.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: Stop) -> io::Result<()> {
    let overdue = async {
        stop.clone().signalled().await;
        tokio::time::sleep(OPEN_REQUESTS).await;
    };
    tokio::select! {
        served = axum::serve(listener, router).with_graceful_shutdown(stop.clone().signalled()) => served,
        () = overdue => {
            tracing::warn!("connections were still open after {OPEN_REQUESTS:?} and are closed");
            Ok(())
        }
    }
}

/// Shuts the cache down: the last loaded values are stored, and invalidations that Redis has not taken yet are applied.
/// Returns what was left.
pub(crate) async fn finish(cache: &Cache) -> Unfinished {
    let pending = cache.stats().pending;
    if pending > 0 {
        tracing::info!(pending, "waiting for Redis to take the pending invalidations");
    }
    cache.shutdown(UNFINISHED).await
}

pub(crate) fn log(unfinished: &Unfinished) {
    if unfinished.is_empty() {
        tracing::info!("stopped; {unfinished}");
    } else {
        tracing::warn!("stopped; {unfinished}: what is lost ends with its time to live");
    }
}
