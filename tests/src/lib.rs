//! Shared by the tests: Redis servers of their own, worker processes, and observation from outside.
//!
//! Nothing here is a mock. Servers listen only on 127.0.0.1, on free ports, in temporary directories, and are ended by
//! their process id.

mod breaks;
mod deployed;
mod kept;
mod lateness;
mod log;
pub mod model;
mod near_process;
mod network;
mod notes;
mod proxy;
mod relay;
mod row;
mod sentinel;
mod server;
mod spoken;
mod store;
mod worker;
mod writer;

pub use breaks::Break;
pub use deployed::{By, Deployed, DeployedCommand, DeployedReads};
pub use kept::{Kept, KeptChanged, KeptRows, Way};
pub use lateness::lateness_of;
pub use log::Log;
pub use near_process::{NearCommand, NearEvent, NearProcess, NearRead, microseconds};
pub use network::{Network, Pass};
pub use notes::Notes;
pub use proxy::Proxy;
pub use relay::Relay;
pub use row::{HeldRead, Row, RowChanged, patient_cache};
pub use sentinel::Sentinel;
pub use server::{Monitor, RedisServer, client_of, free_port};
pub use worker::{Report, Worker};
pub use writer::Writer;

use std::time::Duration;

/// Waits until no invalidation of this cache is queued, but not longer than `within`. Returns whether none is.
pub async fn applied(cache: &cached_core::Cache, within: Duration) -> bool {
    let waiting = async {
        while cache.stats().pending > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(within, waiting).await.is_ok()
}

/// Waits until `condition` holds, for what another process or a background task does.
///
/// # Panics
/// When it does not hold within ten seconds.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "not within 10 s: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
