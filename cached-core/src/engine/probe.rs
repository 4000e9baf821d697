//! Checks whether a store that was out of reach is back.
//!
//! # On cancellation
//! A probe ends with the runtime on which it was started. The engine remembers that and gives the next probe a runtime
//! and a thread of its own: in programs with short-lived runtimes, such as tests, no probe would ever finish otherwise.

use super::Engine;
use crate::breaker::Edge;
use crate::store::Ping;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::runtime::Builder;

/// How long a probe may take.
const WITHIN: Duration = Duration::from_millis(500);

/// A probe that has not reported yet.
struct Probe {
    engine: Arc<Engine>,
    has_reported: bool,
}

impl Drop for Probe {
    fn drop(&mut self) {
        if !self.has_reported {
            self.engine.breaker.probe_lost(self.engine.clock.now());
            self.engine.has_lost_probe.store(true, Ordering::Relaxed);
        }
    }
}

/// Starts a probe. Must be called on tokio.
pub(super) fn start(engine: &Arc<Engine>) {
    let probe = Probe { engine: Arc::clone(engine), has_reported: false };
    if !engine.has_lost_probe.load(Ordering::Relaxed) {
        tokio::spawn(probe.run());
        return;
    }
    let own = move || match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(probe.run()),
        Err(error) => tracing::debug!(%error, "no runtime for a probe"),
    };
    if let Err(error) = std::thread::Builder::new().name("cache-probe".into()).spawn(own) {
        tracing::debug!(%error, "no thread for a probe");
    }
}

impl Probe {
    async fn run(mut self) {
        let engine = &self.engine;
        let answered = engine.store.off_path().ping(Ping::new(WITHIN)).await.is_ok();
        self.has_reported = true;
        if engine.breaker.probed(engine.clock.now(), answered) == Some(Edge::Closed) {
            engine.has_lost_probe.store(false, Ordering::Relaxed);
            tracing::info!(store = ?engine.store, "the cache's store is back: its breaker is closed");
            engine.caught_up();
        }
    }
}
