//! Keeps the connection up for as long as there are removals to repeat.
//!
//! A failover may lose removals that the former primary had acknowledged. They are repeated on the next connection, but
//! a process that makes no calls would never open one. So while there are removals to repeat, a task asks the server
//! for its role every second. A connection that is lost, or whose server is no longer the primary, is then replaced at
//! once.
//!
//! # On cancellation
//! The task ends with its runtime. The next removal, or the next call on the connection, starts another.

use super::fault::Copies;
use super::recent::{PAUSE, Recent};
use super::reconnect::Link;
use std::sync::{Arc, Weak};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

/// Gives the beat back when the task ends, or when it is dropped with its runtime.
struct Beat {
    recent: Arc<Recent>,
    number: u64,
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.recent.gives_back_beat(self.number);
    }
}

impl Link {
    /// Keeps the connection up while there are removals to repeat.
    pub(super) fn beat(&self) {
        if let Some(number) = self.recent().takes_up_beat(Instant::now()) {
            start(Weak::clone(self.me()), Arc::clone(self.recent()), number);
        }
    }
}

/// Starts the task that has taken up the beat.
fn start(link: Weak<Link>, recent: Arc<Recent>, number: u64) {
    let beat = Beat { recent, number };
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async move {
            loop {
                sleep(PAUSE).await;
                let Some(link) = link.upgrade() else { break };
                if !beat.recent.goes_on(beat.number, Instant::now()) {
                    break;
                }
                // The question for the role goes along with it. The next call finds out what comes of it.
                let _ = link.send(&redis::cmd("PING"), Copies::Harmless, Instant::now() + PAUSE).await;
            }
        });
    }
}
