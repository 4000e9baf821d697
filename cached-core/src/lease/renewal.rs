//! Renews leases while their loads run.
//!
//! It begins in `engine/load/running`.

use super::release::AT_ONCE;
use crate::envelope::Head;
use crate::flight::pulse::Pulse;
use crate::key::Key;
use crate::store::{Renew, Store};
use futures_util::stream::{self, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// How long a lease is renewed, so that a load that hangs does not keep its key for ever.
pub(super) const RENEWED_FOR: Duration = Duration::from_secs(60);

/// One task that renews leases, however many they are: new ones before they end, then each after every third of its
/// time. It stops when they are lost, when this is dropped, or after [`RENEWED_FOR`].
#[derive(Debug)]
pub(crate) struct Renewal(JoinHandle<()>);

impl Renewal {
    /// Starts the task. `first` is how long the leases live now.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        mut leases: Vec<(Key, Head)>,
        first: Duration,
        time: Duration,
        pulse: Option<Arc<Pulse>>,
    ) -> Self {
        Self(tokio::spawn(async move {
            let began = Instant::now();
            let mut next = began + first / 3;
            while began.elapsed() < RENEWED_FOR && !leases.is_empty() {
                sleep_until(next).await;
                // Other processes do not wait for a load that could continue but is not polled, so its lease may end.
                let idle = pulse.as_ref().and_then(|pulse| pulse.idle_since());
                let mut pause = time / 3;
                if idle.is_none_or(|since| since.elapsed() < time / 3) {
                    let round = renew_all(&*store, leases, time, first / 6).await;
                    leases = round.leases;
                    if round.has_failed {
                        pause = first / 3;
                    }
                }
                next += pause;
            }
        }))
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The result of renewing all leases once.
struct RenewalRound {
    /// The leases that are not lost.
    leases: Vec<(Key, Head)>,
    /// Whether some could not be renewed. They must be tried again before they end, even if they were never renewed.
    has_failed: bool,
}

async fn renew_all(store: &dyn Store, leases: Vec<(Key, Head)>, time: Duration, within: Duration) -> RenewalRound {
    let renew = |(key, head): (Key, Head)| async move {
        let answer = store.renew(Renew::new(&key, head, time, within)).await;
        ((key, head), answer)
    };
    let mut round = RenewalRound { leases: Vec::with_capacity(leases.len()), has_failed: false };
    let mut renewals = stream::iter(leases).map(renew).buffer_unordered(AT_ONCE);
    while let Some((lease, answer)) = renewals.next().await {
        round.has_failed |= answer.is_err();
        if !matches!(answer, Ok(false)) {
            round.leases.push(lease);
        }
    }
    round
}
